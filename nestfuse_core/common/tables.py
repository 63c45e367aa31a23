"""Tables that stay readable in a narrow terminal: turned, split into several or written as plain rows, never cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.table import Column, Table

FRAME = 3  # a column's border and padding


def fit(table: Table, width: int) -> list[Table | str]:
    """Lay a table out for a terminal.

    Args:
        table: its first column names the rows.
        width: of the terminal, characters.

    Returns:
        The table itself where it fits; else turned round, rows for columns; else several with some of the columns each,
        the first repeated; else plain lines.
    """
    if _fits(table.columns, width):
        return [table]
    turned = _turned(table)
    if _fits(turned.columns, width):
        return [turned]
    key, *others = table.columns
    if all(_fits([key, column], width) for column in others):
        parts = list(_parts(key, others, width))
        return [_part(table, [key, *columns], number, len(parts)) for number, columns in enumerate(parts, 1)]
    return list(_lines(table))


def _width(column: Column) -> int:
    needed = max(cell_len(text) for text in [str(column.header), *_texts(column)])
    return min(needed, column.max_width or needed)


def _fits(columns: Sequence[Column], width: int) -> bool:
    return sum(_width(column) + FRAME for column in columns) + 1 <= width


def _texts(column: Column) -> list[str]:
    return [str(cell) for cell in column.cells]


def _turned(table: Table) -> Table:
    key, *others = table.columns
    heads = [Column(text, justify="right", no_wrap=True) for text in _texts(key)]
    turned = Table(Column(key.header, no_wrap=True), *heads, title=table.title, caption=table.caption)
    for column in others:
        turned.add_row(str(column.header), *_texts(column))
    return turned


def _parts(key: Column, others: Sequence[Column], width: int) -> Iterator[list[Column]]:
    part: list[Column] = []
    for column in others:
        if part and not _fits([key, *part, column], width):
            yield part
            part = []
        part.append(column)
    yield part


def _part(table: Table, columns: Sequence[Column], number: int, count: int) -> Table:
    title = f"{table.title or ''} ({number} of {count})".strip()
    part = Table(
        *(column.copy() for column in columns), title=title, caption=table.caption if number == count else None
    )
    for row in zip(*(column.cells for column in columns), strict=True):
        part.add_row(*row)
    return part


def _lines(table: Table) -> Iterator[str]:
    if table.title:
        yield str(table.title)
    key, *others = table.columns
    for name, *values in zip(*map(_texts, table.columns), strict=True):
        yield f"{key.header}: {name}" if key.header else name
        yield from (f"  {column.header}: {value}" for column, value in zip(others, values, strict=True))
    if table.caption:
        yield str(table.caption)
