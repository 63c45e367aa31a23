"""Tables in a narrow terminal: no cell is cut, whatever it takes."""

import re

import pytest
from rich.cells import cell_len
from rich.table import Table

from nestfuse_core.common import console
from nestfuse_core.common.tables import fit, table_of

TRACKERS = [f"tracker-{letter * 6}" for letter in "ABCDEFGHIJKL"]
ATTRIBUTES = ["NO", "PO", "TO", "HO", "MB", "LI"]


def attributes() -> Table:
    table = Table(title="LasHeR: PR / SR by attribute", caption="the caption")
    table.add_column("attribute")
    for tracker in TRACKERS:
        table.add_column(tracker, justify="right")
    for row, name in enumerate(ATTRIBUTES):
        table.add_row(f"{name} (33)", *(f"0.{row}{column:02d} / 0.{column:02d}{row}" for column in range(12)))
    return table


def printed(table: Table, width: int, monkeypatch, capsys) -> list[str]:
    monkeypatch.setattr(console.stdout, "_width", width)
    console.print_table(table)
    return capsys.readouterr().out.splitlines()


def cells(table: Table) -> set[str]:
    return {str(cell) for column in table.columns for cell in [column.header, *column.cells]}


@pytest.mark.parametrize("width", [40, 60, 80, 120, 300])
def test_twelve_trackers_are_readable_in_any_width(width, monkeypatch, capsys):
    lines = printed(attributes(), width, monkeypatch, capsys)
    assert max(map(cell_len, lines)) <= width and "…" not in "".join(lines)
    words = {word.strip() for line in lines for word in re.split(r"[│┃]", line)}
    assert cells(attributes()) <= words
    assert sum("the caption" in line for line in lines) == 1


def test_every_figure_stands_under_its_tracker(monkeypatch, capsys):
    lines = printed(attributes(), 80, monkeypatch, capsys)
    heads: list[str] = []
    for line in lines:
        parts = [part.strip() for part in re.split(r"[│┃]", line)[1:-1]]
        if parts[:1] == ["attribute"]:
            heads = parts
        for head, value in zip(heads[1:], parts[1:], strict=False):
            if "/" in value:
                row, column = ATTRIBUTES.index(parts[0].split()[0]), TRACKERS.index(head)
                assert value == f"0.{row}{column:02d} / 0.{column:02d}{row}"
    assert sum("(1 of" in line for line in lines) == 1


def test_a_table_that_fits_is_left_alone_and_one_of_many_columns_is_turned():
    table = Table("tracker", *(f"figure {n}" for n in range(9)))
    table.add_row("ours", *(f"0.{n}" for n in range(9)))
    assert fit(table, 200) == [table]
    (turned,) = fit(table, 60)
    assert isinstance(turned, Table) and [str(column.header) for column in turned.columns] == ["tracker", "ours"]
    assert list(turned.columns[1].cells) == [f"0.{n}" for n in range(9)]


def test_cells_wider_than_the_terminal_become_lines():
    table = Table("name", "source", title="weights")
    table.add_row("net", "https://example.org/" + "x" * 80)
    table.add_row("other", "here")
    assert fit(table, 60) == [
        "weights", "name: net", "  source: https://example.org/" + "x" * 80, "name: other", "  source: here",
    ]  # fmt: skip


def test_two_columns_may_name_the_rows():
    rows = [["ours", "RGB", *("0.123" for _ in range(20))], ["ours", "fused", *("0.456" for _ in range(20))]]
    parts = fit(
        table_of(["tracker", "setting", *(f"sequence-{n}" for n in range(20))], rows, "IoU", keys=2), 80, keys=2
    )
    assert len(parts) > 1
    for number, part in enumerate(parts, 1):
        assert isinstance(part, Table) and part.title == f"IoU ({number} of {len(parts)})"
        assert [list(column.cells) for column in part.columns[:2]] == [["ours", "ours"], ["RGB", "fused"]]
    assert sum(len(part.columns) - 2 for part in parts if isinstance(part, Table)) == 20


def test_wide_letters_are_counted_by_their_width(monkeypatch, capsys):
    table = Table("跟踪器", *("目标" * 6 for _ in range(4)))
    table.add_row("甲", *("0.5" for _ in range(4)))
    lines = printed(table, 60, monkeypatch, capsys)
    assert max(map(cell_len, lines)) <= 60 and "…" not in "".join(lines)
