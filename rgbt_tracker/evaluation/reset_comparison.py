"""Several trackers side by side under VOT's reset-based protocol: tables of scores and of differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rgbt_tracker.evaluation import reset_measures as measures
from rgbt_tracker.evaluation.attributes import UNTAGGED
from rgbt_tracker.evaluation.benchmark import Common, Regions
from rgbt_tracker.evaluation.bootstrap import Statistic, bootstrap_differences
from rgbt_tracker.evaluation.reset_measures import Scores
from rgbt_tracker.evaluation.reset_runs import SequenceRuns, scored_runs
from rgbt_tracker.results.trajectory import Trajectory

SAMPLES = 500  # bootstrap draws: each one computes an EAO curve


@dataclass(frozen=True)
class ResetComparison:
    """Reset-based scores of several trackers on the sequences that all of them ran.

    Attributes:
        runs: tracker -> its runs, sequence by sequence in the same order.
        scores: tracker -> every measure.
        sequences: one row for each tracker and sequence: accuracy, failures, frames.
        attributes: one row for each tracker and attribute: accuracy, failures, frames.
        differences: one row for each pair of trackers and measure, with its bootstrap interval.
        left_out: sequences that some tracker lacks.
    """

    runs: dict[str, list[SequenceRuns]]
    scores: dict[str, Scores]
    sequences: pd.DataFrame
    attributes: pd.DataFrame
    differences: pd.DataFrame
    left_out: list[str]

    @property
    def overlaps(self) -> dict[tuple[str, str], NDArray[np.float64]]:
        """(tracker, sequence) -> (N,) overlaps of the first repetition, NaN on special frames."""
        return {(name, each.name): each.runs[0].overlaps for name, runs in self.runs.items() for each in runs}

    @property
    def summary(self) -> pd.DataFrame:
        """One row for each tracker, the highest EAO first."""
        rows = [
            {
                "tracker": tracker,
                "eao": score.eao,
                "accuracy": score.pooled.accuracy,
                "robustness": measures.ar_point(score.pooled)[0],
                "failures": score.pooled.failures,
                "sequences": score.sequences,
            }
            for tracker, score in self.scores.items()
        ]
        order = ["eao", "robustness", "accuracy"]
        return pd.DataFrame(rows).sort_values(order, ascending=False, kind="stable", ignore_index=True)


def compare_with_resets(
    truths: Mapping[str, Regions],
    tracks: Mapping[str, Mapping[str, Sequence[Trajectory]]],
    common: Common,
    interval: tuple[int, int],
) -> ResetComparison:
    """Score results with resets and compare them.

    Args:
        truths: sequence -> what it is compared with.
        tracks: tracker -> sequence -> repetitions.
        common: the sequences that count, and those that some tracker lacks.
        interval: lengths over which the EAO curve is averaged.

    Raises:
        UserError: results of another length.
    """
    runs = {
        tracker: [scored_runs(truths[name], each[name]) for name in common.names] for tracker, each in tracks.items()
    }
    scores = {tracker: measures.score(each, *interval) for tracker, each in runs.items()}
    figures = {tracker: measures.statistics(each, *interval) for tracker, each in runs.items()}
    sequences, attributes = _by_sequence(scores), _by_attribute(scores)
    differences = _differences(figures, len(next(iter(runs.values()))))
    return ResetComparison(runs, scores, sequences, attributes, differences, common.left_out)


def _by_sequence(scores: Mapping[str, Scores]) -> pd.DataFrame:
    names = next(iter(scores.values())).by_sequence
    return pd.DataFrame(
        {"tracker": tracker, "sequence": name, **asdict(score.by_sequence[name])}
        for name in names
        for tracker, score in scores.items()
    )


def _by_attribute(scores: Mapping[str, Scores]) -> pd.DataFrame:
    tags = next(iter(scores.values())).attributes
    rows = [
        {
            "attribute": UNTAGGED if tag == measures.EMPTY_TAG else tag,
            "tracker": tracker,
            **asdict(score.attributes[tag]),
        }
        for tag in tags
        if len(tags) > 1
        for tracker, score in scores.items()
    ]
    return pd.DataFrame(rows, columns=["attribute", "tracker", "accuracy", "failures", "frames"])


def _differences(figures: Mapping[str, Mapping[str, Statistic]], sequences: int) -> pd.DataFrame:
    """Compare every pair of trackers: EAO, accuracy and failures, with paired bootstrap intervals over sequences."""
    several = sequences > 1
    rows = []
    for score in next(iter(figures.values())):
        of = {tracker: each[score] for tracker, each in figures.items()}
        for (first, second), found in bootstrap_differences(of, sequences, samples=SAMPLES if several else 1).items():
            low, high = (found.low, found.high) if several else (np.nan, np.nan)
            rows.append((score, first, second, found.difference, low, high, found.sequences))
    return pd.DataFrame(rows, columns=["score", "first", "second", "difference", "low", "high", "sequences"])
