"""Measures of the reset-based VOT protocol as the 2019 MATLAB toolkit computes them, on plain arrays.

Kristan et al., "The Visual Object Tracking VOT2015 challenge results" (expected average overlap) and "A novel
performance evaluation methodology for single-target trackers", TPAMI 2016 (accuracy, robustness, attributes).
Frames are 0-based here; the papers and the EAO interval count from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.bootstrap import Statistic
from rgbt_tracker.evaluation.reset_runs import Run, SequenceRuns
from rgbt_tracker.results.trajectory import FAILED, INITIALISED, UNKNOWN

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

BURN_IN = 10
SKIP = 5
SENSITIVITY = 30.0
INTERVAL = (109, 322)  # VOT-RGBT2019: interval.evaluation_interval of its 60 sequence lengths
EMPTY_TAG = "empty"


@dataclass(frozen=True)
class AccuracyFailures:
    """Mean overlap outside the burn-in, failures of all sequences (mean of repetitions), frames they refer to."""

    accuracy: float
    failures: float
    frames: int


def fragments(run: Run, skip: int = SKIP) -> list[tuple[Array, bool]]:
    """Cut a run at every re-initialisation inside the sequence.

    A fragment runs from one cut point to the next, both included, and special frames count 0.

    Returns:
        (values, fixed): ``fixed`` is True for the fragments that end in a failure, which are continued with zeros;
        the last one is undefined past its end.
    """
    length = len(run.overlaps)
    cuts = [0, *(int(frame) + skip for frame in run.failures if frame + skip < length)]
    values = np.nan_to_num(run.overlaps, nan=0.0)
    pieces = [(values[start : end + 1], True) for start, end in pairwise(cuts)]
    return [*pieces, (values[cuts[-1] :], False)]


def eao_curve(sequences: Sequence[SequenceRuns], skip: int = SKIP) -> Array:
    """Expected average overlap by sequence length.

    curve[i] is the mean over all fragments that are defined at frame i of their mean overlap over frames 1 .. i,
    each fragment weighted by 1 / repetitions of its sequence.

    Returns:
        (longest sequence,) values in [0, 1]; curve[0] is 1 by convention, NaN where no fragment is defined.
    """
    longest = max(sequence.length for sequence in sequences)
    total, weights = np.zeros(longest), np.zeros(longest)
    steps = np.arange(1, longest)
    for sequence in sequences:
        weight = 1.0 / len(sequence.runs)
        for run in sequence.runs:
            for values, fixed in fragments(run, skip):
                last = longest if fixed else len(values)
                summed = np.zeros(longest - 1)
                summed[: len(values) - 1] = values[1:]
                total[1:last] += weight * (np.cumsum(summed) / steps)[: last - 1]
                weights[1:last] += weight
    curve = np.divide(total, weights, out=np.full(longest, np.nan), where=weights > 0)
    curve[0] = 1.0
    return curve


def eao_score(curve: ArrayLike, low: int = INTERVAL[0], high: int = INTERVAL[1]) -> float:
    """Mean of the curve over lengths ``low`` .. ``high`` (1-based, included); NaN if the curve ends before ``low``."""
    part = np.asarray(curve, dtype=np.float64)[low - 1 : high]
    return float(np.nanmean(part)) if np.isfinite(part).any() else float("nan")


def valid_overlaps(run: Run, mask: Mask | None = None, burn_in: int = BURN_IN) -> Array:
    """Overlaps that count for accuracy: the frames of ``mask``, less special ones and the burn-in.

    Frames are filtered first, then the ``burn_in`` frames from each initialisation that is left are dropped, as in the
    MATLAB toolkit.
    """
    overlaps, codes = (run.overlaps, run.codes) if mask is None else (run.overlaps[mask], run.codes[mask])
    keep = (codes != UNKNOWN) & (codes != FAILED) & (codes != INITIALISED)
    for start in np.flatnonzero(codes == INITIALISED):
        keep[start : start + burn_in] = False
    return overlaps[keep & ~np.isnan(overlaps)]


def accuracy_failures(
    sequences: Sequence[SequenceRuns], tag: str | None = None, burn_in: int = BURN_IN
) -> AccuracyFailures:
    """Accuracy and failures pooled over sequences, of all frames or of those that carry ``tag``.

    ``tag`` 'empty' means frames without any other tag. Repetitions of a sequence share its weight. Accuracy is 0 when
    no frame is left.
    """
    summed = count = failures = 0.0
    frames = 0
    for sequence in sequences:
        mask = None if tag is None else tag_mask(sequence, tag)
        frames += sequence.length if mask is None else int(mask.sum())
        values = [valid_overlaps(run, mask, burn_in) for run in sequence.runs]
        summed += sum(item.sum() for item in values) / len(sequence.runs)
        count += sum(map(len, values)) / len(sequence.runs)
        failed = sum(int((run.codes[slice(None) if mask is None else mask] == FAILED).sum()) for run in sequence.runs)
        failures += failed / len(sequence.runs)
    return AccuracyFailures(float(summed / count) if count else 0.0, float(failures), frames)


def tag_mask(sequence: SequenceRuns, tag: str) -> Mask:
    """(N,) frames of the sequence with the attribute; 'empty' are those with none."""
    if tag != EMPTY_TAG or tag in sequence.tags:
        return sequence.tags.get(tag, np.zeros(sequence.length, dtype=bool))
    tagged = np.zeros(sequence.length, dtype=bool)
    for mask in sequence.tags.values():
        tagged |= mask
    return ~tagged


def by_attribute(sequences: Sequence[SequenceRuns], burn_in: int = BURN_IN) -> dict[str, AccuracyFailures]:
    """Accuracy and failures of every attribute that occurs, 'empty' last."""
    tags = sorted({tag for sequence in sequences for tag in sequence.tags} - {EMPTY_TAG})
    scores = {tag: accuracy_failures(sequences, tag, burn_in) for tag in [*tags, EMPTY_TAG]}
    return {tag: score for tag, score in scores.items() if score.frames > 0}


def by_sequence(sequences: Sequence[SequenceRuns]) -> dict[str, AccuracyFailures]:
    """Accuracy and failures of every sequence; the accuracy is NaN where no frame counts for it."""
    found = {sequence.name: accuracy_failures([sequence]) for sequence in sequences}
    for sequence in sequences:
        if not any(len(valid_overlaps(run)) for run in sequence.runs):
            found[sequence.name] = replace(found[sequence.name], accuracy=float("nan"))
    return found


def attribute_weighted(attributes: dict[str, AccuracyFailures]) -> AccuracyFailures:
    """Mean over attributes weighted by their frame counts: the published "Accuracy" and fractional "Failures"."""
    frames = np.array([score.frames for score in attributes.values()], dtype=np.float64)
    accuracy = np.average([score.accuracy for score in attributes.values()], weights=frames)
    failures = np.average([score.failures for score in attributes.values()], weights=frames)
    return AccuracyFailures(float(accuracy), float(failures), int(frames.sum()))


def ar_point(score: AccuracyFailures, sensitivity: float = SENSITIVITY) -> tuple[float, float]:
    """Point of the AR plot: (robustness, accuracy), robustness = exp(-sensitivity * failures / frames)."""
    return float(np.exp(-sensitivity * score.failures / max(1, score.frames))), score.accuracy


@dataclass(frozen=True)
class Scores:
    """All measures of one tracker on one set of sequences; accuracy and failures are pooled over all frames."""

    eao: float
    interval: tuple[int, int]
    pooled: AccuracyFailures
    weighted: AccuracyFailures
    attributes: dict[str, AccuracyFailures]
    by_sequence: dict[str, AccuracyFailures]
    curve: Array
    sequences: int

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON."""
        robustness, _ = ar_point(self.pooled)
        return {
            "EAO": self.eao if np.isfinite(self.eao) else None,
            "accuracy": self.pooled.accuracy,
            "failures": self.pooled.failures,
            "robustness": robustness,
            "attribute_weighted": {"accuracy": self.weighted.accuracy, "failures": self.weighted.failures},
            "attributes": {tag: asdict(value) for tag, value in self.attributes.items()},
            "interval": list(self.interval),
            "sequences": self.sequences,
            "frames": self.pooled.frames,
        }

    def as_text(self) -> str:
        """A few lines for people."""
        lines = [
            f"EAO {self.eao:.4f} over lengths {self.interval[0]}-{self.interval[1]}",
            f"accuracy {self.pooled.accuracy:.4f} (attribute-weighted {self.weighted.accuracy:.4f})",
            f"failures {self.pooled.failures:g} (attribute-weighted {self.weighted.failures:.4f})",
            f"{self.sequences} sequences, {self.pooled.frames} frames",
        ]
        lines += [
            f"  {tag}: accuracy {value.accuracy:.4f}, failures {value.failures:g}, {value.frames} frames"
            for tag, value in self.attributes.items()
            if len(self.attributes) > 1
        ]
        return "\n".join(lines)


def statistics(sequences: Sequence[SequenceRuns], low: int, high: int) -> dict[str, Statistic]:
    """The figures that trackers are compared by, as functions of the indices of some of the sequences."""

    def of(figure: Callable[[list[SequenceRuns]], float]) -> Statistic:
        return lambda indices: figure([sequences[index] for index in indices])

    return {
        "EAO": of(lambda chosen: eao_score(eao_curve(chosen), low, high)),
        "accuracy": of(lambda chosen: accuracy_failures(chosen).accuracy),
        "failures": of(lambda chosen: accuracy_failures(chosen).failures),
    }


def check_interval(low: int, high: int) -> None:
    """Raise UserError unless 2 <= low <= high."""
    if not 2 <= low <= high:
        raise UserError(f"Expected an EAO interval with 2 <= low <= high, got {low}-{high}.")


def score(sequences: Sequence[SequenceRuns], low: int = INTERVAL[0], high: int = INTERVAL[1]) -> Scores:
    """Every measure of a set of sequences, with the defaults of the VOT challenges."""
    attributes = by_attribute(sequences)
    curve = eao_curve(sequences)
    return Scores(
        eao=eao_score(curve, low, high),
        interval=(low, high),
        pooled=accuracy_failures(sequences),
        weighted=attribute_weighted(attributes),
        attributes=attributes,
        by_sequence=by_sequence(sequences),
        curve=curve,
        sequences=len(sequences),
    )
