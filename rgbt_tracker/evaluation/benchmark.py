"""Trackers on a benchmark: figures in all, for each attribute and for each sequence, and how sure a difference is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import replacing
from rgbt_tracker.evaluation.attributes import UNTAGGED, with_untagged
from rgbt_tracker.evaluation.bootstrap import Interval, paired_bootstrap
from rgbt_tracker.evaluation.groundtruth import Benchmark
from rgbt_tracker.evaluation.one_pass import Score, combine, score_sequence
from rgbt_tracker.evaluation.protocols import NORMALISED_THRESHOLDS, SUCCESS_THRESHOLDS, Protocol
from rgbt_tracker.results.trajectory import Trajectory


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
    scores = {name: _score(benchmark, tracker, name, track) for name, track in chosen.items()}
    total = combine(benchmark.rules, list(scores.values()))
    return TrackerScore(tracker, total, scores, _attributes(benchmark, scores, chosen))


def _score(benchmark: Benchmark, tracker: str, name: str, track: Trajectory) -> Score:
    try:
        return score_sequence(benchmark.rules, track.rows, benchmark.sequences[name].truths)
    except UserError as error:
        raise UserError(f"{tracker}, {track.source or name}: {error}") from error


def _attributes(
    benchmark: Benchmark, scores: Mapping[str, Score], tracks: Mapping[str, Trajectory]
) -> dict[str, Score]:
    """Attribute -> figures over its sequences, or over their frames that carry it where the rules say so."""
    rules = benchmark.rules
    parts: dict[str, list[Score]] = {}
    if benchmark.by_frame:
        tags = {name: with_untagged(benchmark.sequences[name].tags) for name in scores}
        names = {attribute for each in tags.values() for attribute in each}
        for attribute in sorted(names, key=lambda name: (name == UNTAGGED, name)):
            parts[attribute] = [
                score_sequence(rules, tracks[name].rows, benchmark.sequences[name].truths, each[attribute])
                for name, each in tags.items()
                if attribute in each
            ]
    else:
        for attribute, members in benchmark.attributes.items():
            parts[attribute] = [scores[name] for name in members if name in scores]
    combined = {attribute: combine(rules, found) for attribute, found in parts.items() if found}
    return {attribute: score for attribute, score in combined.items() if score.sequences or not benchmark.by_frame}


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


def as_json(benchmark: Benchmark, results: Sequence[TrackerScore]) -> dict[str, Any]:
    """Figures of every tracker as plain data: in all, ``attributes`` and ``sequences``."""
    return {
        "benchmark": benchmark.key,
        "trackers": {
            result.tracker: {
                **result.total.figures(),
                "attributes": {name: score.figures() for name, score in result.attributes.items()},
                "per_sequence": {name: score.figures() for name, score in result.sequences.items()},
            }
            for result in results
        },
    }


def tables(results: Sequence[TrackerScore]) -> dict[str, pd.DataFrame]:
    """Return the tables ``summary``, ``attributes`` and ``sequences``, one row an item, best tracker first."""
    ordered = sorted(results, key=lambda result: -result.total.success_auc)
    summary = [{"tracker": result.tracker, **result.total.figures()} for result in ordered]
    attributes = [
        {"tracker": result.tracker, "attribute": name, **score.figures()}
        for result in ordered
        for name, score in result.attributes.items()
    ]
    sequences = [
        {"tracker": result.tracker, "sequence": name, **score.figures()}
        for result in ordered
        for name, score in result.sequences.items()
    ]
    frames = {"summary": summary, "attributes": attributes, "sequences": sequences}
    return {
        name: pd.DataFrame(rows).drop(columns="sequences" if name == "sequences" else [])
        for name, rows in frames.items()
        if rows
    }


def write_tables(results: Sequence[TrackerScore], rules: Protocol, output: Path) -> list[Path]:
    """Write every table as CSV and the curves of the success and precision plots; return the files."""
    written = []
    for name, table in (tables(results) | {"curves": _curves(results, rules)}).items():
        target = output / f"{name}.csv"
        with replacing(target) as temporary:
            table.to_csv(temporary, index=False, float_format="%.6f")
        written.append(target)
    return written


def _curves(results: Sequence[TrackerScore], rules: Protocol) -> pd.DataFrame:
    axes = {
        "success": SUCCESS_THRESHOLDS,
        "precision": rules.precision_thresholds,
        "normalised": NORMALISED_THRESHOLDS,
    }
    return pd.concat(
        pd.DataFrame(
            {"tracker": result.tracker, "curve": name, "threshold": axis, "share": getattr(result.total, name)}
        )
        for result in results
        for name, axis in axes.items()
    )
