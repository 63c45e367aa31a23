"""Scores of trackers on a benchmark as plain data and as files: JSON, and tables and curves as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nestfuse_core.common.files import write_text
from nestfuse_core.common.spreadsheets import csv_of
from rgbt_tracker.evaluation.benchmark import Benchmark
from rgbt_tracker.evaluation.one_pass import TrackerScore
from rgbt_tracker.evaluation.protocols import NORMALISED_THRESHOLDS, SUCCESS_THRESHOLDS, Protocol


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
        write_text(target, csv_of(table, float_format="%.6f"))
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
