"""Sequences that are not open yet, from what a user typed: a sequence, a folder of them, or drawn ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.job import Source
from rgbt_tracker.locate import is_sequence, list_sequences, open_sequence
from rgbt_tracker.synthetic import draw_sequence, split


def sources_in(places: Iterable[str]) -> list[Source]:
    """Return the sequences that are named, and those in the folders that are, with their frames kept.

    Raises:
        UserError: a folder without sequences.
    """
    found: list[Source] = []
    for place in places:
        inside = [] if is_sequence(Path(place)) else list_sequences(place)
        found += [Source(open_sequence, (str(path),), cached=True) for path in inside or [Path(place)]]
    return found


def drawn_sources(text: str) -> list[Source]:
    """Return the drawn sequences that ``SET:COUNT`` or ``SET:COUNT:LENGTH`` stands for, with their frames kept.

    Raises:
        UserError: another form, or no such set.
    """
    part, *numbers = text.split(":")
    if not 1 <= len(numbers) <= 2 or not all(number.isdecimal() for number in numbers):
        raise UserError(f"Expected --drawn SET:COUNT or SET:COUNT:LENGTH, got '{text}'; for example test:11:120.")
    length = int(numbers[1]) if len(numbers) == 2 else None
    scenes = split(part, int(numbers[0]))
    return [Source(draw_sequence, (scene, length), {"seed": seed}, cached=True) for scene, seed in scenes]
