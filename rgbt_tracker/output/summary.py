"""One line about a track, for the terminal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.evaluation.one_pass import one_pass_scores
from rgbt_tracker.results.trajectory import Trajectory


def summarise(
    track: Trajectory, truth: NDArray[np.float64] | None, lost_below: float, name: str, elapsed: float
) -> str:
    """Return frames, speed, mean overlap with the ground truth where it is known, and doubtful frames.

    Args:
        track: the track of N frames.
        truth: (N, 4) boxes, or None.
        lost_below: score under which a frame counts as doubtful.
        name: of the sequence.
        elapsed: seconds of the whole run, reading and writing included.
    """
    count = len(track.boxes)
    parts = [f"{name}: {count} frames in {elapsed:.1f} s, {count / max(elapsed, 1e-9):.1f} frames/s"]
    if count > 1:
        parts[0] += f" (tracker alone {(count - 1) / max(float(track.seconds[1:].sum()), 1e-9):.1f})"
    if truth is not None and len(truth) == count and np.isfinite(truth).all(axis=1).any():
        parts.append(f"mean overlap with the ground truth {one_pass_scores(track.boxes, truth)['mean_iou']:.3f}")
    doubtful = int((np.asarray(track.scores) < lost_below).sum())
    if doubtful:
        parts.append(f"score below {lost_below:g} in {doubtful} frames")
    return "; ".join(parts)
