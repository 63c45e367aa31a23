"""One-pass (OPE) scores under the rules of each benchmark: precision, normalised precision, success, mean overlap.

From the frames of a sequence (`rgbt_tracker.evaluation.per_frame`) to its score, to those of several sequences combined
and to all that a tracker has on a benchmark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.attributes import UNTAGGED, with_untagged
from rgbt_tracker.evaluation.benchmark import Benchmark
from rgbt_tracker.evaluation.per_frame import Groundtruth, Measured, aligned, measure, measure_tracker
from rgbt_tracker.evaluation.protocols import (
    NORMALISED_LIMIT,
    NORMALISED_THRESHOLDS,
    PRECISION_PIXELS,
    PRECISION_THRESHOLDS,
    PROTOCOLS,
    SUCCESS_THRESHOLDS,
    Protocol,
)
from rgbt_tracker.results.trajectory import Trajectory

Array = NDArray[np.float64]


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


def score_sequence(rules: Protocol, result: ArrayLike, truths: Sequence[ArrayLike]) -> Score:
    """Score one trajectory under the rules of a benchmark; arguments and errors as in `per_frame.measure`."""
    return score_frames(rules, measure(rules, result, truths))


def score_frames(rules: Protocol, measured: Measured) -> Score:
    """Score frames that were measured; every command that scores one pass does it here."""
    quality, distances, scaled = (
        values[~np.isnan(values)] for values in (measured.overlaps, measured.errors, measured.normalised)
    )
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


@dataclass(frozen=True)
class TrackerScore:
    """One tracker on one benchmark: in all, by sequence and by attribute."""

    tracker: str
    total: Score
    sequences: dict[str, Score]
    attributes: dict[str, Score]


def evaluate(
    benchmark: Benchmark, tracker: str, tracks: Mapping[str, Trajectory], partial: bool = False
) -> TrackerScore:
    """Score one tracker.

    Args:
        benchmark: from `load_benchmark`.
        tracker: its name.
        tracks: sequence -> trajectory; sequences that the benchmark does not have are passed over.
        partial: accept results for some of the sequences only.

    Raises:
        UserError: missing sequences or too few lines; names tracker and file.
    """
    missing = [name for name in benchmark.sequences if name not in tracks]
    if missing and not (partial and len(missing) < len(benchmark.sequences)):
        there = len(benchmark.sequences) - len(missing)
        examples = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise UserError(
            f"{tracker} has results for {there} of {len(benchmark.sequences)} {benchmark.rules.title} sequences "
            f"({examples} missing); pass --partial to score those that are there."
        )
    chosen = {name: tracks[name] for name in benchmark.sequences if name in tracks}
    return score_tracker(benchmark, tracker, measure_tracker(benchmark.rules, tracker, chosen, benchmark.sequences))


def score_tracker(benchmark: Benchmark, tracker: str, measured: Mapping[str, Measured]) -> TrackerScore:
    """Score what was measured on some sequences of a benchmark: in all, by sequence and by attribute.

    Attributes are scored on whole sequences, or on the frames that carry them where the rules say so.
    """
    rules = benchmark.rules
    sequences = {name: score_frames(rules, frames) for name, frames in measured.items()}
    parts: dict[str, list[Score]] = {}
    if benchmark.by_frame:
        for name, frames in measured.items():
            for attribute, tagged in with_untagged(benchmark.sequences[name].tags).items():
                parts.setdefault(attribute, []).append(score_frames(rules, frames.of(tagged)))
        parts = {attribute: parts[attribute] for attribute in sorted(parts, key=lambda one: (one == UNTAGGED, one))}
    else:
        for attribute, members in benchmark.attributes.items():
            parts[attribute] = [sequences[name] for name in members if name in sequences]
    combined = {attribute: combine(rules, found) for attribute, found in parts.items() if found}
    attributes = {name: score for name, score in combined.items() if score.sequences or not benchmark.by_frame}
    return TrackerScore(tracker, combine(rules, list(sequences.values())), sequences, attributes)


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
    predicted, truths = aligned(boxes, groundtruth)
    rules = PROTOCOLS["plain"].within(precision_pixels)
    figures = score_sequence(rules, predicted, truths).figures()
    return {name: value for name, value in figures.items() if name != "sequences"}
