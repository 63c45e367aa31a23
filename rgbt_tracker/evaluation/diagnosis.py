"""What happened to one trajectory, frame by frame: where it lost the target and how far off it was.

This is for looking at a run, not for ranking it: the frames in which the target is visible count, under any protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgbt_tracker.evaluation.opened import annotated_boxes
from rgbt_tracker.evaluation.per_frame import plain
from rgbt_tracker.results.trajectory import FAILED, TRACKED, UNKNOWN, Trajectory
from rgbt_tracker.sequences.base import FrameSequence

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Diagnosis:
    """A trajectory over a sequence of N frames.

    Attributes:
        overlaps: (N,) with the better of the annotations, NaN where none shows the target or the tracker was not asked.
        errors: (N,) centre error in pixels, NaN where there is no annotation or no box.
        failures: frames in which the target was lost, 0-based: those that a run with resets names itself, in one pass
            the first of each run of annotated frames without overlap.
        lost: share of the annotated frames without any overlap; who never comes back fails only once.
        fps: frames a second without the first frame, in which the tracker is set up; NaN without times.
    """

    overlaps: Array
    errors: Array
    failures: list[int]
    lost: float
    fps: float


def diagnose_all(
    tracks: Mapping[str, Mapping[str, Trajectory]],
    sequences: Mapping[str, FrameSequence],
    known: Mapping[tuple[str, str], ArrayLike],
) -> dict[str, dict[str, Diagnosis]]:
    """Compare trajectories with the annotations of their sequences: tracker -> sequence -> what happened.

    Args:
        tracks: tracker -> sequence -> trajectory.
        sequences: with their ground truth.
        known: (tracker, sequence) -> overlaps by which a protocol judged it, for some of them.
    """
    truths = {name: annotated_boxes(sequence.info) for name, sequence in sequences.items()}
    return {
        tracker: {name: diagnose(track, truths[name], known.get((tracker, name))) for name, track in each.items()}
        for tracker, each in tracks.items()
    }


def diagnose(track: Trajectory, truths: ArrayLike, known: ArrayLike | None = None) -> Diagnosis:
    """Compare a trajectory with the annotations of its sequence.

    Args:
        track: frames past the sequence's last are left out, and frames that are missing have no box.
        truths: (K, N, 4) annotations of K cameras, NaN where the target is absent.
        known: (N,) overlaps by which a protocol judged it, to show instead of those of upright boxes.
    """
    annotated = np.asarray(truths, dtype=np.float64)
    run = fitted(track, annotated.shape[1])
    measured = plain(run.boxes, annotated)
    values, errors = measured.overlaps, measured.errors
    skipped = (run.codes == UNKNOWN) & run.restarted
    counted = values[~np.isnan(values)]
    return Diagnosis(
        np.where(skipped, np.nan, values) if known is None else np.asarray(known, dtype=np.float64)[: len(values)],
        np.where(np.isfinite(errors) & (run.codes == TRACKED), errors, np.nan),
        np.flatnonzero(run.codes == FAILED).tolist() if run.restarted else _losses(values),
        float((counted == 0).mean()) if counted.size else float("nan"),
        _speed(run.seconds),
    )


def fitted(track: Trajectory, length: int) -> Trajectory:
    """The trajectory cut to ``length`` frames, or filled up with frames without a box."""
    more = max(length - len(track), 0)
    return replace(
        track,
        regions=[*track.regions[:length], *[None] * more],
        codes=np.concatenate([track.codes[:length], np.full(more, UNKNOWN)]),
        scores=np.concatenate([track.scores[:length], np.full(more, np.nan)]),
        seconds=np.concatenate([track.seconds[:length], np.full(more, np.nan)]),
    )


def _losses(values: Array) -> list[int]:
    frames = np.flatnonzero(~np.isnan(values))
    lost = values[frames] == 0
    return frames[lost & ~np.concatenate([[False], lost[:-1]])].tolist()


def _speed(seconds: Array) -> float:
    total = float(np.nansum(seconds[1:]))
    return (len(seconds) - 1) / total if total > 0 else float("nan")
