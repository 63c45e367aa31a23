"""Tables of a report: one description, four forms (the page, CSV, Markdown and LaTeX)."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nestfuse_core.common.files import write_text
from nestfuse_core.common.spreadsheets import csv_of

LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """How one column of numbers is shown.

    Attributes:
        name: its column in the data frame.
        label: its heading.
        digits: digits after the point.
        bar: draw a bar behind the number on the page.
        better: "high", "low" or "" (no best value is marked).
        hint: one sentence that says what it measures.
    """

    name: str
    label: str
    digits: int = 3
    bar: bool = True
    better: str = "high"
    hint: str = ""


@dataclass(frozen=True)
class Table:
    """A table whose first ``len(keys)`` columns are text and whose other columns are numbers.

    Attributes:
        name: file name without suffix, and the identifier on the page.
        section: part of the page it stands in.
        title: heading.
        data: one row per line; holds the keys and every ``Column.name``.
        keys: name -> heading of the text columns.
        columns: the numbers.
        note: one sentence under the heading.
        group: key within whose values the best number is sought (a row of another group is not a rival), or "".
    """

    name: str
    section: str
    title: str
    data: pd.DataFrame
    keys: dict[str, str]
    columns: list[Column]
    note: str = ""
    group: str = ""

    def best(self, column: Column) -> pd.Series:
        """Return one bool per row: the best value of its group, where a group holds more than one."""
        values = self.data[column.name].astype(float)
        if not column.better or len(values) < 2:
            return pd.Series(False, index=self.data.index)
        groups = self.data[self.group] if self.group else pd.Series(0, index=self.data.index)
        pick = "max" if column.better == "high" else "min"
        rivals = values.groupby(groups).transform("count") > 1
        return (values == values.groupby(groups).transform(pick)) & rivals

    def bars(self, column: Column) -> list[float]:
        """Return the length of each row's bar, 0..1 of the cell; rates keep 1 as their full length."""
        values = self.data[column.name].astype(float).to_numpy()
        top = np.nanmax(values, initial=0.0)
        return [0.0 if np.isnan(value) else float(max(value, 0) / max(top, 1.0)) for value in values]

    def text(self, value: float, column: Column) -> str:
        """Return a number as it is printed; an en dash where there is none."""
        return "–" if value is None or np.isnan(value) else f"{value:.{column.digits}f}"


def cells(table: Table) -> list[list[dict]]:
    """Return rows of cells for the page: text, sort value, bar length, whether best."""
    marks = {column.name: table.best(column).to_list() for column in table.columns}
    bars = {column.name: table.bars(column) for column in table.columns}
    rows = []
    for line, (_, row) in enumerate(table.data.iterrows()):
        cell: list[dict] = [{"text": str(row[key]), "sort": str(row[key]), "key": key} for key in table.keys]
        for column in table.columns:
            value = float(row[column.name])
            cell.append(
                {
                    "text": table.text(value, column),
                    "sort": "" if np.isnan(value) else f"{value:.9g}",
                    "bar": round(100 * bars[column.name][line], 2) if column.bar else None,
                    "best": marks[column.name][line],
                }
            )
        rows.append(cell)
    return rows


def to_markdown(table: Table) -> str:
    """Return a Markdown table; the best values are bold."""
    heads = [*table.keys.values(), *(column.label for column in table.columns)]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(table.keys) + " ---: |" * len(table.columns)]
    for row in cells(table):
        texts = [markdown_text(cell["text"]) for cell in row]
        lines.append(
            "| " + " | ".join(f"**{t}**" if c.get("best") else t for t, c in zip(texts, row, strict=True)) + " |"
        )
    return "\n".join(lines) + "\n"


def markdown_text(text: str) -> str:
    """Escape what Markdown, or the HTML that it becomes, would read as something else than a cell's text."""
    return re.sub(r"([\\`*\[\]|])", r"\\\1", html.escape(" ".join(text.split()), quote=False))


def latex_text(text: str) -> str:
    """Escape what LaTeX would read as a command."""
    return "".join(LATEX_SPECIAL.get(letter, letter) for letter in text).replace("–", "--")


def to_latex(table: Table) -> str:
    """Return a ``tabular`` with booktabs rules; the best values are bold."""
    heads = [*table.keys.values(), *(column.label for column in table.columns)]
    lines = [
        r"\begin{tabular}{" + "l" * len(table.keys) + "r" * len(table.columns) + "}",
        r"\toprule",
        " & ".join(map(latex_text, heads)) + r" \\",
        r"\midrule",
    ]
    for row in cells(table):
        texts = [latex_text(cell["text"]) for cell in row]
        lines.append(
            " & ".join(rf"\textbf{{{t}}}" if c.get("best") else t for t, c in zip(texts, row, strict=True)) + r" \\"
        )
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def files(table: Table) -> dict[str, str]:
    """File name -> text of a table's files: ``.csv`` (all digits), ``.md`` and ``.tex``."""
    shown = table.data[[*table.keys, *(column.name for column in table.columns)]]
    return {
        f"{table.name}.csv": csv_of(shown),
        f"{table.name}.md": to_markdown(table),
        f"{table.name}.tex": to_latex(table),
    }


def write_tables(tables: list[Table], folder: Path) -> None:
    """Write the files of each table into ``folder``."""
    texts = {name: text for table in tables for name, text in files(table).items()}
    for name, text in texts.items():
        write_text(folder / name, text)
