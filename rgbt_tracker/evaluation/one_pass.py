"""One-pass (OPE) scores: precision, normalised precision, success and mean overlap, as pure functions.

Boxes are (N, 4) arrays x, y, w, h in pixels, 0-based. Where a benchmark annotates both cameras, every function that
takes a ground truth also takes a list of them, and each frame counts with the better of its annotations, which turns
PR and SR into the MPR and MSR of RGBT234 (Li et al., "RGB-T Object Tracking: Benchmark and Baseline", 2019).

A frame whose ground truth is NaN or has no area is *absent*: the target is not visible and the frame is left out, as
LaSOT and GOT-10k do. `rgbt_tracker.evaluation.protocols` holds the benchmarks that decide otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import center_distance, overlap

Array = NDArray[np.float64]
Groundtruth = ArrayLike | Sequence[ArrayLike]

SUCCESS_THRESHOLDS: Array = np.linspace(0, 1, 21)
PRECISION_THRESHOLDS: Array = np.linspace(0, 50, 51)
NORMALISED_THRESHOLDS: Array = np.linspace(0, 0.5, 51)
PRECISION_PIXELS = 20.0
GTOT_PRECISION_PIXELS = 5.0
NORMALISED_LIMIT = 0.2


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


def one_pass_scores(
    boxes: ArrayLike, groundtruth: Groundtruth, *, precision_pixels: float = PRECISION_PIXELS
) -> dict[str, float]:
    """Score one trajectory.

    Args:
        boxes: (N, 4) tracker output; a frame with NaN is a miss.
        groundtruth: (N, 4), or a list of them, one for each camera.
        precision_pixels: radius of the precision score: 20, on GTOT `GTOT_PRECISION_PIXELS`.

    Returns:
        ``success`` (area under the success curve, its mean over 21 thresholds), ``precision``,
        ``normalised_precision`` (at 0.2), ``mean_iou``, all in [0, 1] and NaN when no frame is annotated, and
        ``frames``, the number of frames they rest on.

    Raises:
        UserError: arrays of different lengths or not of shape (N, 4).
    """
    quality = overlaps(boxes, groundtruth)
    counted = ~np.isnan(quality)
    distances, scaled = center_errors(boxes, groundtruth), normalised_errors(boxes, groundtruth)
    return {
        "success": float(success_curve(quality).mean()),
        "precision": float(precision_curve(distances, [precision_pixels])[0]),
        "normalised_precision": float(precision_curve(scaled, [NORMALISED_LIMIT])[0]),
        "mean_iou": float(quality[counted].mean()) if counted.any() else float("nan"),
        "frames": float(counted.sum()),
    }


def one_pass_curves(boxes: ArrayLike, groundtruth: Groundtruth) -> dict[str, Array]:
    """Return the curves behind the scores: ``success`` (21,), ``precision`` (51,), ``normalised_precision`` (51,).

    Their axes are `SUCCESS_THRESHOLDS`, `PRECISION_THRESHOLDS` and `NORMALISED_THRESHOLDS`.
    """
    return {
        "success": success_curve(overlaps(boxes, groundtruth)),
        "precision": precision_curve(center_errors(boxes, groundtruth)),
        "normalised_precision": precision_curve(normalised_errors(boxes, groundtruth), NORMALISED_THRESHOLDS),
    }


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
