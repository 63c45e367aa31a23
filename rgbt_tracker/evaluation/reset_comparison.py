"""Several trackers side by side under VOT's reset-based protocol: tables of scores and of differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rgbt_tracker.evaluation import reset_measures as measures
from rgbt_tracker.evaluation.attributes import UNTAGGED
from rgbt_tracker.evaluation.benchmark import common_sequences
from rgbt_tracker.evaluation.bootstrap import Statistic, bootstrap_difference
from rgbt_tracker.evaluation.groundtruth import Regions
from rgbt_tracker.evaluation.reset_measures import Scores, SequenceRuns
from rgbt_tracker.evaluation.reset_runs import scored_runs
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


def compare(
    truths: Mapping[str, Regions], tracks: Mapping[str, Mapping[str, Sequence[Trajectory]]], interval: tuple[int, int]
) -> ResetComparison:
    """Score every tracker on the sequences they have in common.

    Args:
        truths: sequence -> what it is compared with.
        tracks: tracker -> sequence -> repetitions.
        interval: lengths over which the EAO curve is averaged.

    Raises:
        UserError: no common sequence, or results of another length.
    """
    common, left_out = common_sequences(tracks, truths)
    runs = {tracker: [scored_runs(truths[name], each[name]) for name in common] for tracker, each in tracks.items()}
    return ResetComparison(
        runs,
        {name: measures.score(each, *interval) for name, each in runs.items()},
        _by_sequence(runs),
        _by_attribute(runs),
        _differences(runs, interval),
        left_out,
    )


def _by_sequence(runs: Mapping[str, list[SequenceRuns]]) -> pd.DataFrame:
    rows = []
    for together in zip(*runs.values(), strict=True):
        for tracker, sequence in zip(runs, together, strict=True):
            found = measures.accuracy_failures([sequence])
            valid = any(len(measures.valid_overlaps(run)) for run in sequence.runs)
            rows.append(
                {
                    "tracker": tracker,
                    "sequence": sequence.name,
                    "accuracy": found.accuracy if valid else np.nan,
                    "failures": found.failures,
                    "frames": sequence.length,
                }
            )
    return pd.DataFrame(rows)


def _by_attribute(runs: Mapping[str, list[SequenceRuns]]) -> pd.DataFrame:
    found = {tracker: measures.by_attribute(each) for tracker, each in runs.items()}
    tags = next(iter(found.values()))
    rows = [
        {
            "attribute": UNTAGGED if tag == measures.EMPTY_TAG else tag,
            "tracker": tracker,
            "accuracy": scores[tag].accuracy,
            "failures": scores[tag].failures,
            "frames": scores[tag].frames,
        }
        for tag in tags
        if len(tags) > 1
        for tracker, scores in found.items()
    ]
    return pd.DataFrame(rows, columns=["attribute", "tracker", "accuracy", "failures", "frames"])


def _differences(runs: Mapping[str, list[SequenceRuns]], interval: tuple[int, int]) -> pd.DataFrame:
    """Compare every pair of trackers: EAO, accuracy and failures, with paired bootstrap intervals over sequences."""
    statistics = {
        "EAO": lambda chosen: measures.eao_score(measures.eao_curve(chosen), *interval),
        "accuracy": lambda chosen: measures.accuracy_failures(chosen).accuracy,
        "failures": lambda chosen: measures.accuracy_failures(chosen).failures,
    }
    count = len(next(iter(runs.values())))
    rows = []
    for score, statistic in statistics.items():
        of = {tracker: _remembering(statistic, each) for tracker, each in runs.items()}
        for first, second in combinations(runs, 2):
            samples = SAMPLES if count > 1 else 1
            found = bootstrap_difference(of[first], of[second], count, samples=samples)
            several = found.sequences > 1
            rows.append(
                {
                    "score": score,
                    "first": first,
                    "second": second,
                    "difference": found.difference,
                    "low": found.low if several else np.nan,
                    "high": found.high if several else np.nan,
                    "sequences": found.sequences,
                }
            )
    return pd.DataFrame(rows, columns=["score", "first", "second", "difference", "low", "high", "sequences"])


def _remembering(statistic: Callable[[list[SequenceRuns]], float], runs: list[SequenceRuns]) -> Statistic:
    """Return the statistic of drawn sequences; every pair of trackers meets the same draws, so they are kept."""
    known: dict[bytes, float] = {}

    def value(indices: NDArray[np.intp]) -> float:
        key = indices.tobytes()
        if key not in known:
            known[key] = statistic([runs[index] for index in indices])
        return known[key]

    return value
