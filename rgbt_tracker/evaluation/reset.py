"""The reset-based run of the VOT challenges: the tracker is started again some frames after each failure.

Kristan et al., "A novel performance evaluation methodology for single-target trackers", TPAMI 2016.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import Box, box_to_polygon
from rgbt_tracker.evaluation.reset_measures import (
    INTERVAL,
    SKIP,
    AccuracyFailures,
    Scores,
    accuracy_failures,
    score,
)
from rgbt_tracker.evaluation.reset_runs import SequenceRuns, scored
from rgbt_tracker.results.region_overlap import Region, region_overlap
from rgbt_tracker.results.regions import box_to_region, is_usable
from rgbt_tracker.results.trajectory import FAILED, INITIALISED, TRACKED, UNKNOWN, Trajectory
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.tracking.interface import SingleObjectTracker


@dataclass(frozen=True)
class Answer:
    """A tracker's reply on one frame: its region, how sure it is (NaN: it does not say), and its seconds."""

    region: Region
    score: float
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
) -> Trajectory:
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

    Returns:
        Regions where the tracker answered with some overlap, else codes; scores of every frame it was updated with,
        failures included; seconds of every frame it saw.
    """
    regions: list[Region | None] = [None] * length
    codes = np.full(length, UNKNOWN, dtype=np.int64)
    scores, times = np.full(length, np.nan), np.full(length, np.nan)
    frame, running = 0, False
    while frame < length:
        if not running:
            if can_start(frame):
                times[frame] = initialize(frame)
                codes[frame] = INITIALISED
                running = True
            on_frame(frame)
            frame += 1
            continue
        answer = update(frame)
        value = overlap(frame, answer.region)
        times[frame], scores[frame] = answer.seconds, answer.score
        on_frame(frame)
        if value <= failure_overlap:
            codes[frame], running = FAILED, False
            frame += skip
            continue
        codes[frame], regions[frame] = TRACKED, answer.region
        frame += 1
    return Trajectory(regions, codes, scores, times)


def run_with_resets(
    tracker: SingleObjectTracker,
    sequence: FrameSequence,
    *,
    skip: int = SKIP,
    failure_overlap: float = 0.0,
    on_frame: Callable[[int], None] = lambda frame: None,
) -> Trajectory:
    """Run a tracker of this package over a sequence with ground truth, in this process.

    Boxes are compared as polygons, which is how VOT-RGBT2019 gives its ground truth, so scores equal those of
    ``vot evaluate`` on the same sequence.

    Raises:
        UserError: the sequence has no ground truth.
    """
    boxes = _groundtruth(sequence)
    truth = box_to_polygon(boxes)
    size: tuple[int, int] | None = None
    last: Box = (0.0, 0.0, 1.0, 1.0)

    def initialize(frame: int) -> float:
        nonlocal size, last
        images = sequence.frame(frame)
        shape = next(image.shape for image in (images.ir, images.rgb) if image is not None)
        size, last = (shape[1], shape[0]), tuple(float(value) for value in boxes[frame])  # type: ignore
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


def sequence_runs(sequence: FrameSequence, tracks: Sequence[Trajectory]) -> SequenceRuns:
    """Runs with resets on a sequence, compared with its ground truth as polygons.

    Args:
        sequence: with ground truth; its first frame is read for the size of the images.
        tracks: the repetitions, of `run_with_resets`.
    """
    first = sequence.frame(0)
    shape = next(image.shape for image in (first.ir, first.rgb) if image is not None)
    truth = Trajectory.of_boxes(box_to_polygon(_groundtruth(sequence)))
    runs = [scored(track, truth, (shape[1], shape[0])) for track in tracks]
    return SequenceRuns(sequence.name, runs, dict(sequence.info.tags))


def _groundtruth(sequence: FrameSequence) -> NDArray[np.float64]:
    if sequence.groundtruth is None:
        raise UserError(f"The sequence '{sequence.name}' has no ground truth, which a run with resets needs.")
    return sequence.groundtruth


def reset_scores(tracker: SingleObjectTracker, sequence: FrameSequence) -> AccuracyFailures:
    """Accuracy and failures of one run with resets over one sequence."""
    return accuracy_failures([sequence_runs(sequence, [run_with_resets(tracker, sequence)])])


def reset_scores_of_set(
    tracker: SingleObjectTracker, sequences: Iterable[FrameSequence], low: int = INTERVAL[0], high: int = INTERVAL[1]
) -> Scores:
    """EAO, accuracy, failures and attributes of one run over each sequence of a set."""
    return score([sequence_runs(item, [run_with_resets(tracker, item)]) for item in sequences], low, high)
