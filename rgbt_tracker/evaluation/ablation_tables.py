"""The tables of an ablation: what the cells sum up to, as data frames and as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rgbt_tracker.evaluation.ablation import SETTINGS, Cell
from rgbt_tracker.evaluation.bootstrap import paired_bootstrap
from rgbt_tracker.evaluation.reset_measures import accuracy_failures, eao_curve, eao_score


def all_tables(cells: Sequence[Cell], low: int, high: int) -> dict[str, pd.DataFrame]:
    """Title -> table: the summary (EAO over lengths ``low`` to ``high``), the differences, and every sequence."""
    tables = {"Summary": summary(cells, low, high)}
    for value, name in {"mean_iou": "mean IoU", "failures": "failures"}.items():
        tables[f"Reliable fusion minus the others, {name}"] = differences(cells, value)
    for value in ("mean_iou", "success", "accuracy", "failures"):
        tables[f"By sequence: {value}"] = table(cells, value)
    return tables


def table(cells: Sequence[Cell], value: str) -> pd.DataFrame:
    """Rows (tracker, setting), a column a sequence and their mean (the total of failures).

    ``value`` is mean_iou, success, accuracy or failures; several starts of a sequence are averaged.
    """
    records = []
    for cell in cells:
        pooled = accuracy_failures([cell.runs])
        figures = {"mean_iou": cell.one_pass.mean_iou, "success": cell.one_pass.success}
        figures |= {"accuracy": pooled.accuracy, "failures": pooled.failures}
        row = {"tracker": cell.tracker, "setting": cell.setting, "sequence": cell.sequence}
        records.append({**row, "value": figures[value]})
    frame = pd.DataFrame(records).pivot_table("value", ["tracker", "setting"], "sequence", dropna=False)
    names = list(dict.fromkeys(cell.sequence for cell in cells))
    order = list(dict.fromkeys((cell.tracker, cell.setting) for cell in cells))
    frame = frame.loc[order, names]
    frame["total" if value == "failures" else "mean"] = frame.sum(axis=1) if value == "failures" else frame.mean(axis=1)
    return frame


def summary(cells: Sequence[Cell], low: int, high: int) -> pd.DataFrame:
    """Rows (tracker, setting): mean IoU, success, pooled reset accuracy, failures, EAO over ``low``..``high``, fps.

    Failures are those of one start a sequence, on average.
    """
    iou, success, failures = (table(cells, value) for value in ("mean_iou", "success", "failures"))
    rows = {}
    for key in dict.fromkeys((cell.tracker, cell.setting) for cell in cells):
        chosen = [cell for cell in cells if (cell.tracker, cell.setting) == key]
        runs = [cell.runs for cell in chosen]
        rows[key] = {
            "mean IoU": iou.loc[key, "mean"],
            "success AUC": success.loc[key, "mean"],
            "accuracy": accuracy_failures(runs).accuracy,
            "failures": failures.loc[key, "total"],
            "EAO": eao_score(eao_curve(runs), low, high),
            "frames/s": np.median([cell.one_pass.fps for cell in chosen]),
        }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=["tracker", "setting"])
    return frame


def differences(cells: Sequence[Cell], value: str = "mean_iou") -> pd.DataFrame:
    """Reliable minus every other setting of the same tracker, 95 % paired bootstrap interval, worst sequence.

    ``value`` is mean_iou (mean over the sequences, more is better) or failures (their total, fewer are better). The
    last row of a tracker compares with the better single modality of each sequence.
    """
    fewer = value == "failures"
    rows = {}
    for tracker in dict.fromkeys(cell.tracker for cell in cells):
        figures = table([cell for cell in cells if cell.tracker == tracker], value).iloc[:, :-1].loc[tracker]
        count = figures.shape[1] if fewer else 1
        singles = figures.loc[["RGB", "thermal"]]
        others = {name: figures.loc[name] for name in SETTINGS if name != "reliable"}
        others["better single"] = singles.min() if fewer else singles.max()
        for name, values in others.items():
            interval = paired_bootstrap(figures.loc["reliable"], values)
            gap = figures.loc["reliable"] - values
            worst = gap.idxmax() if fewer else gap.idxmin()
            rows[tracker, f"reliable - {name}"] = {
                "difference": interval.difference * count,
                "low": interval.low * count,
                "high": interval.high * count,
                "worst": gap[worst],
                "on": worst,
            }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=["tracker", "difference of"])
    return frame


def as_cells(frame: pd.DataFrame, decimals: int = 3) -> list[list[str]]:
    """The headings and the rows of a table as texts; its index makes the first columns."""
    flat = frame.reset_index()

    def text(value: Any) -> str:
        return f"{round(value, decimals) + 0:.{decimals}f}" if isinstance(value, float) else str(value)  # no "-0.000"

    return [list(map(str, flat.columns)), *([text(value) for value in row] for row in flat.itertuples(index=False))]


def as_markdown(frame: pd.DataFrame, decimals: int = 3) -> str:
    """A table for the README, without further packages."""
    head, *rows = as_cells(frame, decimals)
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def as_page(tables: dict[str, pd.DataFrame]) -> str:
    """Tables with their titles as the text of a Markdown file."""
    return "\n\n".join(f"### {title}\n\n{as_markdown(frame)}" for title, frame in tables.items()) + "\n"
