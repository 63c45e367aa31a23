"""No name becomes a formula where a table is opened, and reading gives it back."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.common.spreadsheets import csv_of, guarded, unguarded
from nestfuse_core.fusion.scores import write_csv
from rgbt_tracker.training.loop.records import Table, read_table

NAMES = ["=1+1", "+cmd|'/C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''=1", "-", "=", "\t5"]


@pytest.mark.parametrize("name", NAMES)
def test_a_formula_is_text(name: str) -> None:
    assert guarded(name) == f"'{name}" and unguarded(guarded(name)) == name


@pytest.mark.parametrize("cell", ["street", "a=b", "", "'", "'quoted'", "-3.5", "+1e-3", -3.5, 7, None, "x-y"])
def test_what_is_none_stays(cell: object) -> None:
    assert guarded(cell) is cell
    assert not isinstance(cell, str) or unguarded(cell) == cell


@given(st.text(st.sampled_from("'=+-@\t\r1e. x"), max_size=6) | st.text(max_size=6))
def test_every_text_comes_back_and_none_is_a_formula(text: str) -> None:
    cell = str(guarded(text))
    assert unguarded(cell) == text
    if cell.startswith(("=", "@", "\t", "\r")):
        raise AssertionError(cell)
    if cell.startswith(("+", "-")):
        float(cell)  # a number


def first_column(text: str) -> list[str]:
    return [row[0] for row in csv.reader(io.StringIO(text, newline=""))]


def test_frames_scores_and_tables_of_a_run(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="needs the extra: pip install -e '.[bench]'")
    frame = pandas.DataFrame({"=head": ["=1", "street"], "score": [-0.5, 1.0]})
    assert csv_of(frame, "%.2f") == "'=head,score\n'=1,-0.50\nstreet,1.00\n"
    write_csv(tmp_path / "scores.csv", [{"name": "=1", "SD": -1.5}])
    assert first_column((tmp_path / "scores.csv").read_text()) == ["name", "'=1"]
    table = Table(tmp_path / "t.csv", ("step", "sequence"), 0)
    for step, name in enumerate(["=1", "street"]):
        table.add({"step": step, "sequence": name})
    Table(tmp_path / "t.csv", ("step", "sequence"), 5)  # written anew by a resumed run
    assert "\n0,'=1\n" in (tmp_path / "t.csv").read_text()
    assert [row["sequence"] for row in read_table(tmp_path / "t.csv")] == ["=1", "street"]
