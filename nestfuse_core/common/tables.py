"""Tables that stay readable in a narrow terminal: turned, split into several or written as plain rows, never cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.table import Column, Table

FRAME = 3  # a column's border and padding


def table_of(head: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None, keys: int = 1) -> Table:
    """A table of texts; all columns but the first ``keys`` hold figures and stand to the right."""
    table = Table(title=title)
    for number, name in enumerate(head):
        table.add_column(name, justify="left" if number < keys else "right")
    for row in rows:
        table.add_row(*row)
    return table


def fit(table: Table, width: int, keys: int = 1) -> list[Table | str]:
    """Lay a table out for a terminal.

    Args:
        table: its first columns name the rows.
        width: of the terminal, characters.
        keys: how many columns name the rows.

    Returns:
        The table itself where it fits; else turned round, rows for columns; else several with some of the columns each,
        the first ones repeated; else plain lines.
    """
    if _fits(table.columns, width):
        return [table]
    if keys == 1 and _fits((turned := _turned(table)).columns, width):
        return [turned]
    names, others = table.columns[:keys], table.columns[keys:]
    if all(_fits([*names, column], width) for column in others):
        parts = list(_parts(names, others, width))
        return [_part(table, [*names, *columns], number, len(parts)) for number, columns in enumerate(parts, 1)]
    return list(_lines(table, keys))


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


def _parts(names: Sequence[Column], others: Sequence[Column], width: int) -> Iterator[list[Column]]:
    part: list[Column] = []
    for column in others:
        if part and not _fits([*names, *part, column], width):
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


def _lines(table: Table, keys: int) -> Iterator[str]:
    if table.title:
        yield str(table.title)
    heads = [str(column.header) for column in table.columns]
    for row in zip(*map(_texts, table.columns), strict=True):
        entries = [f"{head}: {text}" if head else text for head, text in zip(heads, row, strict=True)]
        yield ", ".join(entries[:keys])
        yield from (f"  {entry}" for entry in entries[keys:])
    if table.caption:
        yield str(table.caption)
