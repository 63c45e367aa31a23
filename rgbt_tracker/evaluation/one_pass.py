"""One-pass (OPE) scores under the rules of each benchmark: precision, normalised precision, success, mean overlap.

Boxes are (N, 4) arrays x, y, w, h in pixels, 0-based. Where a benchmark annotates both cameras, every function that
takes a ground truth also takes a list of them, and each frame counts with the better of its annotations, which turns
PR and SR into the MPR and MSR of RGBT234 (Li et al., "RGB-T Object Tracking: Benchmark and Baseline", 2019).

A frame whose ground truth is NaN or has no area is *absent*: the target is not visible. The plain protocol leaves the
frame out, as LaSOT and GOT-10k do; `rgbt_tracker.evaluation.protocols` holds the benchmarks that decide otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import center_distance, overlap, polygon_to_box
from rgbt_tracker.evaluation.protocols import (
    NORMALISED_LIMIT,
    NORMALISED_THRESHOLDS,
    PRECISION_PIXELS,
    PRECISION_THRESHOLDS,
    PROTOCOLS,
    SUCCESS_THRESHOLDS,
    Protocol,
)
from rgbt_tracker.sequences.annotations import VTUAV_STEP

Array = NDArray[np.float64]
Groundtruth = ArrayLike | Sequence[ArrayLike]


def present(groundtruth: ArrayLike) -> NDArray[np.bool_]:
    """Tell in which frames the target is annotated: (N, 4) -> (N,), False for NaN and for boxes without area."""
    boxes = np.asarray(groundtruth, dtype=np.float64)
    return np.isfinite(boxes).all(-1) & (boxes[..., 2] > 0) & (boxes[..., 3] > 0)


def overlaps(boxes: ArrayLike, groundtruth: Groundtruth) -> Array:
    """Overlap of each frame with the better of its annotations: (N, 4) and one or more (N, 4) -> (N,).

    NaN where no annotation shows the target; 0 where the tracker reported NaN.
    """
    predicted, truths = _aligned(boxes, groundtruth)
    values = [np.where(present(truth), np.nan_to_num(overlap(predicted, truth)), np.nan) for truth in truths]
    return np.asarray(np.fmax.reduce(values), dtype=np.float64)


def center_errors(boxes: ArrayLike, groundtruth: Groundtruth) -> Array:
    """Distance in pixels to the nearer annotated centre: (N, 4) and one or more (N, 4) -> (N,).

    NaN where no annotation shows the target; infinite where the tracker reported NaN.
    """
    return _smallest(boxes, groundtruth, center_distance)


def normalised_errors(boxes: ArrayLike, groundtruth: Groundtruth) -> Array:
    """Centre error with x and y divided by the annotated width and height (Müller et al., "TrackingNet", 2018, eq. 2).

    Shapes, NaN and infinity as in `center_errors`; no unit, 0.5 is half a target.
    """

    def scaled(predicted: Array, truth: Array) -> Array:
        gap = (predicted[:, :2] + predicted[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2) / truth[:, 2:]
        return np.hypot(gap[:, 0], gap[:, 1])

    return _smallest(boxes, groundtruth, scaled)


def success_curve(values: ArrayLike, thresholds: ArrayLike = SUCCESS_THRESHOLDS) -> Array:
    """Share of frames whose overlap exceeds each threshold: (N,) -> (T,) in [0, 1].

    NaN entries are left out; an empty rest gives NaN. The success score (AUC) is the mean of the curve.
    """
    return share(np.greater, values, thresholds)


def precision_curve(errors: ArrayLike, thresholds: ArrayLike = PRECISION_THRESHOLDS) -> Array:
    """Share of frames whose centre error is at most each threshold: (N,) -> (T,) in [0, 1]; NaN as above."""
    return share(np.less_equal, errors, thresholds)


def share(compare: np.ufunc, values: ArrayLike, thresholds: ArrayLike) -> Array:
    """Share of the values, NaN left out, for which ``compare(value, threshold)`` holds: (N,) and (T,) -> (T,)."""
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[~np.isnan(numbers)]
    limits = np.asarray(thresholds, dtype=np.float64)
    if not numbers.size:
        return np.full(limits.shape, np.nan)
    return np.asarray(compare(numbers[:, None], limits).mean(0), dtype=np.float64)


@dataclass(frozen=True)
class Score:
    """One-pass scores of a sequence, or of several combined.

    Attributes:
        frames: annotated frames behind it; 0 gives NaN scores.
        success: (21,) curve over overlap 0..1.
        precision: (51,) curve over the protocol's ``precision_thresholds``.
        normalised: (51,) curve over normalised error 0..0.5.
        mean_iou: in [0, 1].
        precision_at, success_auc, normalised_at: the benchmark's figures, in [0, 1].
        sequences: how many are combined.
    """

    frames: int
    success: Array
    precision: Array
    normalised: Array
    mean_iou: float
    precision_at: float
    success_auc: float
    normalised_at: float
    sequences: int = 1

    def figures(self) -> dict[str, float]:
        """The figures under the names that `one_pass_scores` uses too."""
        return {
            "precision": self.precision_at,
            "normalised_precision": self.normalised_at,
            "success": self.success_auc,
            "mean_iou": self.mean_iou,
            "sequences": self.sequences,
            "frames": self.frames,
        }


def score_sequence(
    rules: Protocol, result: ArrayLike, truths: Sequence[ArrayLike], frames: NDArray[np.bool_] | None = None
) -> Score:
    """Score one trajectory under the rules of a benchmark; every command that scores one pass does it here.

    Args:
        rules: of the benchmark.
        result: (M, 4) x, y, w, h or (M, 8) corners as read from the tracker's file, one row a frame of the video;
            rows past the last annotated frame are ignored.
        truths: one or two (N, 4) annotations, visible first.
        frames: (N,) the annotated frames that count; all by default.

    Raises:
        UserError: fewer rows than the annotations ask for.
    """
    annotations = as_truths(list(truths) if rules.both_cameras else truths[0])
    rows = _aligned_rows(rules, result, len(annotations[0]))
    if rules.absent == "skipped":
        measured = [measure(rows, annotations) for measure in (overlaps, center_errors, normalised_errors)]
    else:
        measured = _as_toolkits_do(rules, rows, annotations)
    if frames is not None:
        measured = [values[frames] for values in measured]
    quality, distances, scaled = (values[~np.isnan(values)] for values in measured)
    nearer = np.less if rules.strict else np.less_equal
    return _with_figures(
        rules,
        frames=len(quality),
        success=success_curve(quality),
        precision=share(nearer, distances, rules.precision_thresholds),
        normalised=precision_curve(scaled, NORMALISED_THRESHOLDS),
        mean_iou=float(np.maximum(quality, 0).mean()) if quality.size else float("nan"),
    )


def combine(rules: Protocol, parts: Sequence[Score]) -> Score:
    """Combine sequences into the benchmark's figures; sequences without annotated frames are left out."""
    usable = [part for part in parts if part.frames]
    weights = [part.frames if rules.pooled else 1 for part in usable]

    def mean(name: str, *shape: int) -> Array:
        values = [getattr(part, name) for part in usable]
        return np.average(values, axis=0, weights=weights) if usable else np.full(shape, np.nan)

    return _with_figures(
        rules,
        frames=sum(part.frames for part in usable),
        success=mean("success", len(SUCCESS_THRESHOLDS)),
        precision=mean("precision", len(rules.precision_thresholds)),
        normalised=mean("normalised", len(NORMALISED_THRESHOLDS)),
        mean_iou=float(mean("mean_iou")),
        sequences=len(usable),
    )


def _with_figures(
    rules: Protocol, *, success: Array, precision: Array, normalised: Array, sequences: int = 1, **parts: Any
) -> Score:
    area = float((success[1:] + success[:-1]).mean() / 2 if rules.trapezoid else success.mean())
    at = int(np.abs(rules.precision_thresholds - rules.precision_pixels).argmin())
    middle = int(np.abs(NORMALISED_THRESHOLDS - NORMALISED_LIMIT).argmin())
    return Score(
        success=success,
        precision=precision,
        normalised=normalised,
        precision_at=float(precision[at]),
        success_auc=area,
        normalised_at=float(normalised[middle]),
        sequences=sequences,
        **parts,
    )


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


def _as_toolkits_do(rules: Protocol, rows: Array, truths: Sequence[Array]) -> list[Array]:
    """Overlap, centre error and normalised error of each frame, without NaN: what cannot be compared is a miss."""
    if rules.starts_on_truth:
        rows = np.vstack([truths[0][:1], rows[1:]])
    if rules.repairs:
        rows = _repeat_last_valid(rows)
    # The package computes in single precision, which decides on which side of a threshold an overlap of 0.6 falls.
    precision = np.float32 if rules.rounded else np.float64
    quality = np.max([np.nan_to_num(overlap(rows, truth).astype(precision)) for truth in truths], axis=0)
    distances = np.min([_missing(center_distance(rows, truth)) for truth in truths], axis=0)
    scaled = np.min(
        [_missing(_normalised(rows.astype(precision), truth.astype(precision))) for truth in truths], axis=0
    )
    measured = [np.asarray(values, dtype=np.float64) for values in (quality, distances, scaled)]
    if rules.absent == "free":
        gone = (truths[0] <= 0).any(1)
        for values in measured:
            values[gone] = -1
    return measured


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


def one_pass_scores(
    boxes: ArrayLike, groundtruth: Groundtruth, *, precision_pixels: float = PRECISION_PIXELS
) -> dict[str, float]:
    """Score one trajectory under the plain protocol: the figures of `score_sequence` by name.

    Args:
        boxes: (N, 4) tracker output; a frame with NaN is a miss.
        groundtruth: (N, 4), or a list of them, one for each camera.
        precision_pixels: radius of the precision score.

    Returns:
        ``success`` (area under the success curve, its mean over 21 thresholds), ``precision``,
        ``normalised_precision`` (at 0.2), ``mean_iou``, all in [0, 1] and NaN when no frame is annotated, and
        ``frames``, the number of frames they rest on.

    Raises:
        UserError: arrays of different lengths or not of shape (N, 4).
    """
    predicted, truths = _aligned(boxes, groundtruth)
    rules = PROTOCOLS["plain"].within(precision_pixels)
    figures = score_sequence(rules, predicted, truths).figures()
    return {name: value for name, value in figures.items() if name != "sequences"}


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


def _aligned(boxes: ArrayLike, groundtruth: Groundtruth) -> tuple[Array, list[Array]]:
    truths = as_truths(groundtruth)
    predicted = np.asarray(boxes, dtype=np.float64)
    if predicted.shape != truths[0].shape:
        raise UserError(
            f"Expected one box x,y,w,h for each of the {len(truths[0])} annotated frames, "
            f"got an array of shape {predicted.shape}."
        )
    return predicted, truths


def _smallest(boxes, groundtruth, distance) -> Array:
    predicted, truths = _aligned(boxes, groundtruth)
    values = []
    for truth in truths:
        shown = present(truth)
        error = np.full(len(truth), np.nan)
        error[shown] = np.nan_to_num(distance(predicted[shown], truth[shown]), nan=np.inf, posinf=np.inf)
        values.append(error)
    return np.asarray(np.fmin.reduce(values), dtype=np.float64)
