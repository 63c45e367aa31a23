"""How sure is the difference of two trackers: paired bootstrap over sequences.

Sequences, not frames, are the independent units of a tracking benchmark (frames of one sequence succeed or fail
together), so sequences are drawn with replacement, the same draw for both trackers (Efron and Tibshirani, "An
Introduction to the Bootstrap", 1993, chapter 13: percentile interval).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError

Statistic = Callable[[NDArray[np.intp]], float]


@dataclass(frozen=True)
class Interval:
    """A difference first - second and its confidence interval.

    Attributes:
        difference: on all sequences.
        low, high: percentile bounds.
        sequences: how many sequences it rests on.
    """

    difference: float
    low: float
    high: float
    sequences: int

    @property
    def significant(self) -> bool:
        """Whether 0 lies outside the interval."""
        return self.low > 0 or self.high < 0


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    samples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Interval of the difference of two trackers' mean scores.

    Args:
        first, second: (S,) score of each tracker on the same S sequences; a sequence with NaN in either is left out.
        weights: (S,) weight of each sequence, for example its frames; equal when None.
        samples: draws.
        confidence: of the two-sided interval, in (0, 1).
        seed: of the draws; the same seed gives the same interval.

    Raises:
        UserError: different lengths or no sequence in common.
    """
    a, b = (np.asarray(scores, dtype=np.float64).ravel() for scores in (first, second))
    if a.shape != b.shape:
        raise UserError(f"A paired interval needs both trackers on the same sequences, got {a.size} and {b.size}.")
    share = np.ones(a.size) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    valid = ~(np.isnan(a) | np.isnan(b)) & (share > 0)
    if not valid.any():
        raise UserError("A paired interval needs at least one sequence that both trackers have a score for.")
    gap, share = (a - b)[valid], share[valid]
    counts = np.random.default_rng(seed).multinomial(gap.size, np.full(gap.size, 1 / gap.size), size=samples)
    drawn = counts @ (gap * share) / (counts @ share)
    return _interval(float(np.average(gap, weights=share)), drawn, gap.size, confidence)


def bootstrap_difference(
    first: Statistic, second: Statistic, sequences: int, *, samples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """As `paired_bootstrap`, for scores that are no mean over sequences (EAO, frame-weighted failures).

    Args:
        first, second: score of each tracker on the sequences of the given (S,) indices, repeats included.
        sequences: S.

    Raises:
        UserError: no sequence.
    """
    pair = {"first": first, "second": second}
    return bootstrap_differences(pair, sequences, samples=samples, confidence=confidence, seed=seed)["first", "second"]


def bootstrap_differences(
    scores: Mapping[str, Statistic], sequences: int, *, samples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[tuple[str, str], Interval]:
    """As `bootstrap_difference`, for every pair of several trackers: all of them meet the same draws.

    Args:
        scores: tracker -> its score on the sequences of the given (S,) indices, repeats included.
        sequences: S.

    Raises:
        UserError: no sequence.
    """
    if sequences < 1:
        raise UserError("A paired interval needs at least one sequence.")
    everything = np.arange(sequences)
    draws = np.random.default_rng(seed).integers(sequences, size=(samples, sequences))
    found = {name: (score(everything), np.array([score(drawn) for drawn in draws])) for name, score in scores.items()}
    return {
        (first, second): _interval(
            float(found[first][0] - found[second][0]), found[first][1] - found[second][1], sequences, confidence
        )
        for first, second in combinations(scores, 2)
    }


def _interval(difference: float, drawn: NDArray[np.float64], sequences: int, confidence: float) -> Interval:
    tail = 50 * (1 - confidence)
    low, high = np.nanpercentile(drawn, [tail, 100 - tail])
    return Interval(difference, float(low), float(high), sequences)
