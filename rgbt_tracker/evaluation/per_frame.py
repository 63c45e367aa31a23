"""One pass, frame by frame: overlap, centre error and normalised centre error, under the rules of each benchmark.

Boxes are (N, 4) arrays x, y, w, h in pixels, 0-based. Where a benchmark annotates both cameras, every function that
takes a ground truth also takes a list of them, and each frame counts with the better of its annotations, which turns
PR and SR into the MPR and MSR of RGBT234 (Li et al., "RGB-T Object Tracking: Benchmark and Baseline", 2019).

A frame whose ground truth is NaN or has no area is *absent*: the target is not visible. The plain protocol leaves the
frame out, as LaSOT and GOT-10k do; `rgbt_tracker.evaluation.protocols` holds the benchmarks that decide otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import center_distance, overlap, polygon_to_box
from rgbt_tracker.evaluation.benchmark import Annotation
from rgbt_tracker.evaluation.protocols import Protocol
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.sequences.annotations import VTUAV_STEP

Array = NDArray[np.float64]
Groundtruth = ArrayLike | Sequence[ArrayLike]


@dataclass(frozen=True)
class Measured:
    """One trajectory against its annotations, each array (N,) for N annotated frames, NaN in those left out.

    Attributes:
        overlaps: in [0, 1]; below 0 in a frame that counts against success whatever was reported.
        errors: distance of the centres in pixels; below 0 in a frame that counts for precision, infinite in a miss.
        normalised: as ``errors``, x and y divided by the annotated width and height.
    """

    overlaps: Array
    errors: Array
    normalised: Array

    def of(self, frames: NDArray[np.bool_]) -> Measured:
        """The same in the frames of an (N,) mask."""
        return Measured(self.overlaps[frames], self.errors[frames], self.normalised[frames])


def measure_tracker(
    rules: Protocol, tracker: str, tracks: Mapping[str, Trajectory], annotations: Mapping[str, Annotation]
) -> dict[str, Measured]:
    """Measure every frame of a tracker's trajectories: sequence -> measures.

    Args:
        rules: of the benchmark.
        tracker: its name, for errors.
        tracks: sequence -> trajectory.
        annotations: of these sequences at least.

    Raises:
        UserError: fewer rows than the annotations ask for; names tracker and file.
    """
    measured = {}
    for name, track in tracks.items():
        try:
            measured[name] = measure(rules, track.rows, annotations[name].truths)
        except UserError as error:
            raise UserError(f"{tracker}, {track.source or name}: {error}") from error
    return measured


def measure(rules: Protocol, result: ArrayLike, truths: Sequence[ArrayLike]) -> Measured:
    """Compare one trajectory with its annotations under the rules of a benchmark.

    Args:
        rules: of the benchmark.
        result: (M, 4) x, y, w, h or (M, 8) corners as read from the tracker's file, one row a frame of the video;
            rows past the last annotated frame are ignored.
        truths: one or two (N, 4) annotations, visible first.

    Raises:
        UserError: fewer rows than the annotations ask for.
    """
    annotations = as_truths(list(truths) if rules.both_cameras else truths[0])
    rows = _aligned_rows(rules, result, len(annotations[0]))
    if rules.absent == "skipped":
        return plain(rows, annotations)
    return _as_toolkits_do(rules, rows, annotations)


def present(groundtruth: ArrayLike) -> NDArray[np.bool_]:
    """Tell in which frames the target is annotated: (N, 4) -> (N,), False for NaN and for boxes without area."""
    boxes = np.asarray(groundtruth, dtype=np.float64)
    return np.isfinite(boxes).all(-1) & (boxes[..., 2] > 0) & (boxes[..., 3] > 0)


def plain(boxes: ArrayLike, groundtruth: Groundtruth) -> Measured:
    """Compare boxes with one or more annotations of each frame, the better of which counts: (N, 4) and (N, 4).

    Frames in which no annotation shows the target are NaN; where the tracker reported NaN the overlap is 0 and the
    distances are infinite.

    Raises:
        UserError: arrays of different lengths or not of shape (N, 4).
    """
    predicted, truths = aligned(boxes, groundtruth)
    shown = [present(truth) for truth in truths]
    gaps = [predicted[:, :2] + predicted[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2 for truth in truths]
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = [np.hypot(*(gap / truth[:, 2:]).T) for gap, truth in zip(gaps, truths, strict=True)]
    return Measured(
        _better(np.fmax, shown, [overlap(predicted, truth) for truth in truths], lost=0.0),
        _better(np.fmin, shown, [center_distance(predicted, truth) for truth in truths], lost=np.inf),
        _better(np.fmin, shown, scaled, lost=np.inf),
    )


def _better(choose: np.ufunc, shown: list[NDArray[np.bool_]], values: list[Array], lost: float) -> Array:
    """The better value of each frame, NaN where no annotation shows the target, ``lost`` where there is no box."""
    filled = (np.nan_to_num(value, nan=lost, posinf=np.inf) for value in values)
    return np.asarray(
        choose.reduce([np.where(mask, value, np.nan) for mask, value in zip(shown, filled, strict=True)]),
        dtype=np.float64,
    )


def overlaps(boxes: ArrayLike, groundtruth: Groundtruth) -> Array:
    """Overlap of each frame with the better of its annotations: (N, 4) and one or more (N, 4) -> (N,).

    NaN where no annotation shows the target; 0 where the tracker reported NaN.
    """
    return plain(boxes, groundtruth).overlaps


def center_errors(boxes: ArrayLike, groundtruth: Groundtruth) -> Array:
    """Distance in pixels to the nearer annotated centre: (N, 4) and one or more (N, 4) -> (N,).

    NaN where no annotation shows the target; infinite where the tracker reported NaN.
    """
    return plain(boxes, groundtruth).errors


def normalised_errors(boxes: ArrayLike, groundtruth: Groundtruth) -> Array:
    """Centre error with x and y divided by the annotated width and height (Müller et al., "TrackingNet", 2018, eq. 2).

    Shapes, NaN and infinity as in `center_errors`; no unit, 0.5 is half a target.
    """
    return plain(boxes, groundtruth).normalised


def _aligned_rows(rules: Protocol, result: ArrayLike, annotated: int) -> Array:
    """Bring the tracker's rows to (annotated, 4) boxes, one for each annotation."""
    rows = np.asarray(result, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] not in (4, 8):
        raise UserError(f"Expected 4 or 8 numbers a frame, got an array of shape {rows.shape}.")
    if rules.rounded:
        rows = rows.astype(np.float32).round().astype(np.float64)
    if rows.shape[1] == 8:
        rows = polygon_to_box(rows) + np.array([0, 0, 1, 1]) * rules.inclusive_corners
    step = rules.every
    if not step:
        step = VTUAV_STEP if len(rows) > VTUAV_STEP and annotated == -(-len(rows) // VTUAV_STEP) else 1
    needed = (annotated - 1) * step + 1
    if len(rows) < needed:
        raise UserError(f"Expected a box for each of {needed} frames, got {len(rows)}.")
    return rows[:needed:step]


def _as_toolkits_do(rules: Protocol, rows: Array, truths: Sequence[Array]) -> Measured:
    """Overlap, centre error and normalised error of each frame, without NaN: what cannot be compared is a miss."""
    if rules.starts_on_truth:
        rows = np.vstack([truths[0][:1], rows[1:]])
    if rules.repairs:
        rows = _repeat_last_valid(rows)
    # The package computes in single precision, which decides on which side of a threshold an overlap of 0.6 falls.
    precision = np.float32 if rules.rounded else np.float64
    scaled = np.min(
        [_missing(_normalised(rows.astype(precision), truth.astype(precision))) for truth in truths], axis=0
    )
    quality = np.max([np.nan_to_num(overlap(rows, truth).astype(precision)) for truth in truths], axis=0)
    distances = np.min([_missing(center_distance(rows, truth)) for truth in truths], axis=0)
    measured = [np.asarray(values, dtype=np.float64) for values in (quality, distances, scaled)]
    if rules.absent == "free":
        gone = (truths[0] <= 0).any(1)
        for values in measured:
            values[gone] = -1
    return Measured(*measured)


def _missing(distances: NDArray) -> NDArray:
    return np.where(np.isnan(distances), np.inf, distances)


def _normalised(rows: NDArray, truth: NDArray) -> NDArray:
    """Distance of the centres, each divided by the annotated size: the package's order of operations."""
    size = truth[:, 2:] + truth.dtype.type(1e-8)
    with np.errstate(divide="ignore", invalid="ignore"):
        ours = ((rows[:, 2:] - 1) / 2 + rows[:, :2]) / size
        theirs = ((truth[:, 2:] - 1) / 2 + truth[:, :2]) / size
        return np.sqrt(((ours - theirs) ** 2).sum(1))


def _repeat_last_valid(rows: Array) -> Array:
    """Replace each box without area by the last one with area; the first row stays as it is."""
    valid = ~((rows[:, 2] <= 0) | (rows[:, 3] <= 0))
    valid[0] = True
    return rows[np.maximum.accumulate(np.where(valid, np.arange(len(rows)), 0))]


def as_truths(groundtruth: Groundtruth) -> list[Array]:
    """Return the annotations as a list of (N, 4) arrays, one for each camera.

    Raises:
        UserError: another shape.
    """
    try:
        array = np.asarray(groundtruth, dtype=np.float64)
    except ValueError as error:
        raise UserError("Expected annotations of equal length for both cameras, got different lengths.") from error
    truths = list(array) if array.ndim == 3 else [array]
    if not truths or any(truth.ndim != 2 or truth.shape[1] != 4 for truth in truths):
        raise UserError(f"Expected ground truth of shape (N, 4), one array or one for each camera, got {array.shape}.")
    return truths


def aligned(boxes: ArrayLike, groundtruth: Groundtruth) -> tuple[Array, list[Array]]:
    """Return boxes and annotations as arrays.

    Raises:
        UserError: arrays of different lengths or not of shape (N, 4).
    """
    truths = as_truths(groundtruth)
    predicted = np.asarray(boxes, dtype=np.float64)
    if predicted.shape != truths[0].shape:
        raise UserError(
            f"Expected one box x,y,w,h for each of the {len(truths[0])} annotated frames, "
            f"got an array of shape {predicted.shape}."
        )
    return predicted, truths
