"""Several trackers side by side in one pass: tables of scores, and of differences with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from rgbt_tracker.evaluation.benchmark import Benchmark, Common
from rgbt_tracker.evaluation.bootstrap import Interval, paired_bootstrap
from rgbt_tracker.evaluation.diagnosis import Diagnosis
from rgbt_tracker.evaluation.one_pass import TrackerScore, evaluate
from rgbt_tracker.evaluation.protocols import Protocol
from rgbt_tracker.results.trajectory import Trajectory


@dataclass(frozen=True)
class OnePassComparison:
    """One-pass scores of several trackers on the sequences that all of them ran.

    Attributes:
        key, rules: of the benchmark that they are scored by.
        scores: tracker -> every score and curve.
        summary: one row for each tracker, the best first: the figures (`Score.figures`), failures, lost, fps.
        sequences: one row for each sequence and tracker, with the same columns.
        attributes: one row for each attribute and tracker: the figures.
        differences: one row for each pair of trackers and figure, with its bootstrap interval.
        by_frame: whether attributes are scored on the frames that carry them, or on whole sequences.
        left_out: sequences that some tracker lacks.
    """

    key: str
    rules: Protocol
    scores: dict[str, TrackerScore]
    summary: pd.DataFrame
    sequences: pd.DataFrame
    attributes: pd.DataFrame
    differences: pd.DataFrame
    by_frame: bool
    left_out: list[str]


def compare_one_pass(
    benchmark: Benchmark,
    tracks: Mapping[str, Mapping[str, Trajectory]],
    diagnoses: Mapping[str, Mapping[str, Diagnosis]],
    common: Common,
) -> OnePassComparison:
    """Score results of one pass and compare them.

    Args:
        benchmark: rules and annotations.
        tracks: tracker -> sequence -> trajectory.
        diagnoses: of the same trajectories.
        common: the sequences that count, and those that some tracker lacks.

    Raises:
        UserError: a result with too few frames.
    """
    scores = {
        tracker: evaluate(benchmark, tracker, {name: each[name] for name in common.names}, partial=True)
        for tracker, each in tracks.items()
    }
    sequences = pd.DataFrame(
        {
            "tracker": tracker,
            "sequence": name,
            **score.sequences[name].figures(),
            "failures": len(diagnoses[tracker][name].failures),
            "lost": diagnoses[tracker][name].lost,
            "fps": diagnoses[tracker][name].fps,
        }
        for name in next(iter(scores.values())).sequences
        for tracker, score in scores.items()
    )
    return OnePassComparison(
        benchmark.key,
        benchmark.rules,
        scores,
        _summary(scores, sequences),
        sequences,
        _by_attribute(scores),
        _differences(benchmark.rules, scores),
        benchmark.by_frame,
        common.left_out,
    )


def _summary(scores: Mapping[str, TrackerScore], sequences: pd.DataFrame) -> pd.DataFrame:
    grouped = sequences.groupby("tracker", sort=False)
    more = grouped[["lost", "fps"]].mean()
    more["failures"] = grouped["failures"].sum()
    rows = [{"tracker": name, **score.total.figures(), **more.loc[name].to_dict()} for name, score in scores.items()]
    return pd.DataFrame(rows).sort_values("success", ascending=False, kind="stable", ignore_index=True)


def _by_attribute(scores: Mapping[str, TrackerScore]) -> pd.DataFrame:
    names = dict.fromkeys(attribute for score in scores.values() for attribute in score.attributes)
    rows = [
        {"attribute": attribute, "tracker": tracker, **score.attributes[attribute].figures()}
        for attribute in names
        for tracker, score in scores.items()
        if attribute in score.attributes
    ]
    return pd.DataFrame(rows)


def _differences(rules: Protocol, scores: Mapping[str, TrackerScore]) -> pd.DataFrame:
    """One sequence alone says nothing about others, so its interval is NaN."""
    rows = []
    for figure, label in (("success", rules.labels[1]), ("precision", rules.labels[0])):
        for first, second in combinations(scores.values(), 2):
            found = difference(rules, first, second, figure)
            if found is None:
                continue
            several = found.sequences > 1
            pairs = [(first.sequences[name].figures(), second.sequences[name].figures()) for name in first.sequences]
            gaps = np.array([ours[figure] - theirs[figure] for ours, theirs in pairs])
            rows.append(
                {
                    "score": label,
                    "first": first.tracker,
                    "second": second.tracker,
                    "difference": found.difference,
                    "low": found.low if several else np.nan,
                    "high": found.high if several else np.nan,
                    "sequences": found.sequences,
                    "first_better": int((gaps > 0).sum()),
                    "second_better": int((gaps < 0).sum()),
                }
            )
    columns = ["score", "first", "second", "difference", "low", "high", "sequences", "first_better", "second_better"]
    return pd.DataFrame(rows, columns=columns)


def difference(rules: Protocol, first: TrackerScore, second: TrackerScore, figure: str = "success") -> Interval | None:
    """How much better the first tracker is on the sequences that both ran, and how sure that is.

    Args:
        rules: of the benchmark, which decides the weights of the sequences.
        first, second: two trackers on the benchmark.
        figure: "success" or "precision".

    Returns:
        The paired bootstrap's interval; None where they have no sequence with a score in common.
    """
    common = [name for name in first.sequences if name in second.sequences and first.sequences[name].frames]
    if not common:
        return None
    ours, theirs = ([one.sequences[name].figures()[figure] for name in common] for one in (first, second))
    frames = [first.sequences[name].frames for name in common] if rules.pooled else None
    return paired_bootstrap(ours, theirs, weights=frames)
