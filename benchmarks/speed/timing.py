"""What the scripts of this folder share: timing in turns, and ratios to a reference of the same run.

Seconds of one machine say little about another's, and on a busy one little about the program. What is compared takes
turns, so that all meet the same load, and is printed as a ratio to a reference.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple


class Seconds(NamedTuple):
    """By the clock, and of processor time."""

    clock: float
    processor: float


def used_here() -> float:
    """Processor seconds of this process so far."""
    return time.process_time()


def timed(work: Callable[[], Any], used: Callable[[], float] = used_here) -> tuple[Seconds, Any]:
    """Call ``work`` once; return its seconds and what it returned."""
    clock, processor = time.perf_counter(), used()
    answer = work()
    return Seconds(time.perf_counter() - clock, used() - processor), answer


def in_turn(
    works: Mapping[str, Callable[[], Any]], turns: int, *, warm_up: bool = True, used: Callable[[], float] = used_here
) -> dict[str, list[Seconds]]:
    """Call each of ``works`` in every turn; return the seconds of each, a value a turn.

    Args:
        warm_up: call each once before, without counting.
        used: processor seconds so far.
    """
    if warm_up:
        for work in works.values():
            work()
    times: dict[str, list[Seconds]] = {name: [] for name in works}
    for _ in range(turns):
        for name, work in works.items():
            times[name].append(timed(work, used)[0])
    return times


def from_next(names: Sequence[str], turn: int) -> list[str]:
    """``names`` in a turn's order: another one begins each time, since the first finds the frame in nobody's cache."""
    first = turn % len(names)
    return [*names[first:], *names[:first]]


def median(times: Sequence[Seconds]) -> Seconds:
    """The median by either clock."""
    return Seconds(*(statistics.median(values) for values in zip(*times, strict=True)))


def least(times: Sequence[Seconds]) -> Seconds:
    """The least by either clock."""
    return Seconds(*(min(values) for values in zip(*times, strict=True)))


def ratios(slow: Sequence[float], fast: Sequence[float]) -> str:
    """Median and range of the ratios of each turn: ``"2.54 (2.51..2.60)"``, or one number for one turn."""
    values = [one / other for one, other in zip(slow, fast, strict=True)]
    span = f" ({min(values):.2f}..{max(values):.2f})" if len(values) > 1 else ""
    return f"{statistics.median(values):.2f}{span}"


def size(text: str) -> tuple[int, int]:
    """Width and height of ``"640x480"``, for argparse."""
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"expected a size such as 640x480, got '{text}'")
    return int(width), int(height)


def command_line(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the script's docstring as it stands."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
