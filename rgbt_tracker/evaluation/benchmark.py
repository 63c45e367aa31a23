"""Score result folders on a benchmark: figures in all, for each attribute and for each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import replacing
from rgbt_tracker.evaluation.groundtruth import Benchmark
from rgbt_tracker.evaluation.protocols import Protocol, Score, combine, score_sequence
from rgbt_tracker.results.rows import read_rows

FIGURES = ("precision", "normalised_precision", "success", "mean_iou")


@dataclass(frozen=True)
class TrackerScore:
    """One tracker on one benchmark: in all, by sequence and by attribute."""

    tracker: str
    total: Score
    sequences: dict[str, Score]
    attributes: dict[str, Score]


def evaluate(benchmark: Benchmark, tracker: str, files: dict[str, Path], partial: bool = False) -> TrackerScore:
    """Score one tracker.

    Args:
        benchmark: from `load_benchmark`.
        tracker: its name.
        files: sequence -> result file.
        partial: accept results for some of the sequences only.

    Raises:
        UserError: missing sequences, unreadable files or too few lines; names tracker and file.
    """
    missing = [name for name in benchmark.sequences if name not in files]
    if missing and not (partial and len(missing) < len(benchmark.sequences)):
        there = len(benchmark.sequences) - len(missing)
        examples = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise UserError(
            f"{tracker} has results for {there} of {len(benchmark.sequences)} {benchmark.rules.title} sequences "
            f"({examples} missing); pass --partial to score those that are there."
        )
    scores: dict[str, Score] = {}
    for name, annotation in benchmark.sequences.items():
        if name in files:
            try:
                scores[name] = score_sequence(benchmark.rules, read_rows(files[name]), annotation.truths)
            except UserError as error:
                raise UserError(f"{tracker}, {files[name]}: {error}") from error
    attributes = {}
    for attribute, members in benchmark.attributes.items():
        if parts := [scores[name] for name in members if name in scores]:
            attributes[attribute] = combine(benchmark.rules, parts)
    return TrackerScore(tracker, combine(benchmark.rules, list(scores.values())), scores, attributes)


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
    from rgbt_tracker.evaluation.one_pass import NORMALISED_THRESHOLDS, SUCCESS_THRESHOLDS

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
