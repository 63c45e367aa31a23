"""One line about a track, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.evaluation.one_pass import one_pass_scores
from rgbt_tracker.output.log import Log


def summarise(
    log: Log,
    truth: NDArray[np.float64] | None,
    settings: TrackerConfig,
    name: str,
    elapsed: float,
    told: int = 0,
) -> str:
    """Return frames, speed, mean overlap with the ground truth where it is known, and doubtful frames.

    Args:
        log: of the N frames that were tracked.
        truth: (L, 4) boxes of the whole sequence, or None.
        settings: of the tracker; a frame counts as doubtful whose score is under its ``tracking.lost_below``.
        name: of the sequence.
        elapsed: seconds of the whole run, reading and writing included.
        told: how many of the frames an earlier run tracked.
    """
    count = len(log)
    before = f" after {told} of an earlier run" if told else ""
    rate = (count - told) / max(elapsed, 1e-9)
    parts = [f"{name}: {count - told} frames{before} in {elapsed:.1f} s, {rate:.1f} frames/s"]
    if count > 1:
        parts[0] += f" (tracker alone {(count - 1) / max(float(log.seconds[1:].sum()), 1e-9):.1f})"
    known = None if truth is None else truth[log.start : log.end]
    if known is not None and len(known) == count and np.isfinite(known).all(axis=1).any():
        parts.append(f"mean overlap with the ground truth {one_pass_scores(log.boxes, known)['mean_iou']:.3f}")
    lost_below = settings.tracking.lost_below
    doubtful = int((log.scores < lost_below).sum())
    if doubtful:
        parts.append(f"score below {lost_below:g} in {doubtful} frames")
    return "; ".join(parts)


def summarise_several(
    logs: Mapping[int, Log], settings: TrackerConfig, name: str, elapsed: float, seconds: NDArray[np.float64]
) -> str:
    """Return targets, frames, speed, and doubtful frames of each target.

    Args:
        logs: number of a target -> its log.
        settings: of the tracker.
        name: of the sequence.
        elapsed: seconds of the whole run, reading and writing included.
        seconds: (N,) in the tracker, of every frame.
    """
    count = len(seconds)
    parts = [
        f"{name}: {len(logs)} target{'s' if len(logs) > 1 else ''}, {count} frames in {elapsed:.1f} s, "
        f"{count / max(elapsed, 1e-9):.1f} frames/s"
    ]
    if count > 1:
        parts[0] += f" (tracker alone {(count - 1) / max(float(seconds[1:].sum()), 1e-9):.1f})"
    lost_below = settings.tracking.lost_below
    doubtful = {number: int((log.scores < lost_below).sum()) for number, log in sorted(logs.items())}
    told = [f"{frames} of target {number}" for number, frames in doubtful.items() if frames]
    if told:
        parts.append(f"score below {lost_below:g} in frames: {', '.join(told)}")
    return "; ".join(parts)


def stopped_line(end: int, length: int | None, error: BaseException, going_on: int | None) -> str:
    """Say where a run stopped early, why, and how to go on.

    Args:
        end: number of the frame that was not tracked any more.
        length: of the sequence, or None.
        error: what stopped it.
        going_on: number of the frame at which ``--resume`` goes on, or None where it cannot.
    """
    why = "you ended it" if isinstance(error, KeyboardInterrupt) else str(error).rstrip(".") or type(error).__name__
    of = "" if length is None else f" of {length}"
    line = f"stopped after {end}{of} frames: {why}"
    return line if going_on is None else f"{line}; the same command with --resume goes on at frame {going_on}"
