"""Names in tables that a spreadsheet may open: none of them becomes a formula there.

A spreadsheet computes a cell that begins with = + - @, a tab or a carriage return, and a formula may call programs and
send what other cells hold (OWASP, "CSV injection"). Such a text gets an apostrophe before it, which spreadsheets take
for "text"; `unguarded` gives back what it was. Numbers stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pandas import DataFrame

Cell = TypeVar("Cell")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MARK = "'"


def guarded(cell: Cell) -> Cell | str:
    """What to write for a cell: a text that would be a formula gets a mark, as does one that looks marked."""
    return f"{MARK}{cell}" if isinstance(cell, str) and _is_formula(cell.lstrip(MARK)) else cell


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text[1:] if text.startswith(MARK) and _is_formula(text.lstrip(MARK)) else text


def csv_of(frame: DataFrame, float_format: str | None = None) -> str:
    """The frame as CSV with a heading and without its index, every text of it `guarded`."""
    safe = frame.rename(columns=guarded).map(guarded)
    return safe.to_csv(index=False, lineterminator="\n", float_format=float_format)


def _is_formula(text: str) -> bool:
    if not text.startswith(FORMULA):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return text.startswith(("\t", "\r"))
