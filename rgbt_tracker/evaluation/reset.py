"""The reset-based run of the VOT challenges: the tracker is started again some frames after each failure.

Kristan et al., "A novel performance evaluation methodology for single-target trackers", TPAMI 2016.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import box_to_polygon
from rgbt_tracker.evaluation.reset_measures import (
    INTERVAL,
    SKIP,
    AccuracyFailures,
    Run,
    Scores,
    SequenceRuns,
    accuracy_failures,
    score,
)
from rgbt_tracker.results.region_overlap import Region, region_overlap
from rgbt_tracker.results.regions import Box, box_to_region, is_usable
from rgbt_tracker.results.trajectory import FAILED, INITIALISED, TRACKED, UNKNOWN, Trajectory
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.tracking.interface import SingleObjectTracker


@dataclass
class ResetRun:
    """Outcome of one run over N frames.

    Attributes:
        codes: (N,) special codes of trajectories.py, TRACKED where the tracker answered with some overlap.
        regions: answers, None on special frames.
        overlaps: (N,) overlap with the ground truth, NaN on special frames.
        seconds: (N,) time of the tracker, NaN on frames it did not see.
        confidences: what the tracker said on every frame it was updated with, failures included, else None.
    """

    codes: NDArray[np.int64]
    regions: list[Region | None]
    overlaps: NDArray[np.float64]
    seconds: NDArray[np.float64]
    confidences: list[Any]

    @classmethod
    def empty(cls, length: int) -> ResetRun:
        unknown = np.full(length, UNKNOWN, dtype=np.int64)
        nan = np.full(length, np.nan)
        return cls(unknown, [None] * length, nan.copy(), nan.copy(), [None] * length)

    @property
    def trajectory(self) -> Trajectory:
        return Trajectory(self.codes, self.regions)

    @property
    def run(self) -> Run:
        return Run(self.overlaps, self.codes)


@dataclass(frozen=True)
class Answer:
    """A tracker's reply on one frame."""

    region: Region
    confidence: Any
    seconds: float


def run_resets(
    length: int,
    initialize: Callable[[int], float],
    update: Callable[[int], Answer],
    overlap: Callable[[int, Region], float],
    *,
    skip: int = SKIP,
    failure_overlap: float = 0.0,
    can_start: Callable[[int], bool] = lambda frame: True,
    on_frame: Callable[[int], None] = lambda frame: None,
) -> ResetRun:
    """Run a tracker given as functions of the frame number.

    Args:
        length: number of frames.
        initialize: start the tracker on the ground truth of a frame; returns seconds.
        update: the tracker's answer on a frame.
        overlap: of an answer with the ground truth of a frame; NaN (target absent) is no failure.
        skip: frames from a failure to the next start.
        failure_overlap: an overlap not above this is a failure.
        can_start: whether a frame has a target to start on; starting waits until one has.
        on_frame: called after every frame, for progress.
    """
    run = ResetRun.empty(length)
    frame, running = 0, False
    while frame < length:
        if not running:
            if can_start(frame):
                run.seconds[frame] = initialize(frame)
                run.codes[frame] = INITIALISED
                running = True
            on_frame(frame)
            frame += 1
            continue
        answer = update(frame)
        value = overlap(frame, answer.region)
        run.seconds[frame], run.confidences[frame] = answer.seconds, answer.confidence
        on_frame(frame)
        if value <= failure_overlap:
            run.codes[frame], running = FAILED, False
            frame += skip
            continue
        run.codes[frame], run.regions[frame], run.overlaps[frame] = TRACKED, answer.region, value
        frame += 1
    return run


def run_with_resets(
    tracker: SingleObjectTracker,
    sequence: FrameSequence,
    *,
    skip: int = SKIP,
    failure_overlap: float = 0.0,
    on_frame: Callable[[int], None] = lambda frame: None,
) -> ResetRun:
    """Run a tracker of this package over a sequence with ground truth, in this process.

    Boxes are compared as polygons, which is how VOT-RGBT2019 gives its ground truth, so scores equal those of
    ``vot evaluate`` on the same sequence.

    Raises:
        UserError: the sequence has no ground truth.
    """
    if sequence.groundtruth is None:
        raise UserError(f"The sequence '{sequence.name}' has no ground truth, which a run with resets needs.")
    truth = box_to_polygon(sequence.groundtruth)
    size: tuple[int, int] | None = None
    last: Box = (0.0, 0.0, 1.0, 1.0)

    def initialize(frame: int) -> float:
        nonlocal size, last
        images = sequence.frame(frame)
        shape = next(image.shape for image in (images.ir, images.rgb) if image is not None)
        size, last = (shape[1], shape[0]), tuple(float(value) for value in sequence.groundtruth[frame])  # type: ignore
        start = time.perf_counter()
        tracker.initialize(images.rgb, images.ir, last)
        return time.perf_counter() - start

    def update(frame: int) -> Answer:
        nonlocal last
        images = sequence.frame(frame)
        start = time.perf_counter()
        result = tracker.update(images.rgb, images.ir)
        seconds = time.perf_counter() - start
        last = result.box if is_usable(result.box) else last
        return Answer(box_to_region(last, truth[frame]), float(result.score), seconds)

    def overlap(frame: int, region: Region) -> float:
        return float("nan") if np.isnan(truth[frame]).any() else region_overlap(region, truth[frame], size)

    return run_resets(
        len(sequence),
        initialize,
        update,
        overlap,
        skip=skip,
        failure_overlap=failure_overlap,
        can_start=lambda frame: not bool(np.isnan(truth[frame]).any()),
        on_frame=on_frame,
    )


def sequence_runs(sequence: FrameSequence, runs: list[ResetRun]) -> SequenceRuns:
    """The runs on a sequence in the form measures.py takes."""
    return SequenceRuns(sequence.name, [run.run for run in runs], dict(sequence.info.tags))


def reset_scores(tracker: SingleObjectTracker, sequence: FrameSequence) -> AccuracyFailures:
    """Accuracy and failures of one run with resets over one sequence."""
    return accuracy_failures([sequence_runs(sequence, [run_with_resets(tracker, sequence)])])


def reset_scores_of_set(
    tracker: SingleObjectTracker, sequences: Iterable[FrameSequence], low: int = INTERVAL[0], high: int = INTERVAL[1]
) -> Scores:
    """EAO, accuracy, failures and attributes of one run over each sequence of a set."""
    return score([sequence_runs(item, [run_with_resets(tracker, item)]) for item in sequences], low, high)
