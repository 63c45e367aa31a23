"""How every command of the project talks to its user: progress, notes and tables."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from nestfuse_core.common.tables import fit

stderr = Console(stderr=True, soft_wrap=True)
stdout = Console(soft_wrap=True)


def note(text: str) -> None:
    """Tell the user on stderr what was assumed, or what they should know."""
    stderr.print(f"Note: {text}", markup=False, highlight=False)


def progress() -> Progress:
    """Return a progress display on stderr, so that stdout stays machine-readable."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=stderr,
    )


def print_table(table: Table, keys: int = 1) -> None:
    """Print a table on stdout so that no cell is cut short, however narrow the terminal and many the columns.

    Args:
        keys: how many of the first columns name the rows.
    """
    for part in fit(table, stdout.width, keys):
        stdout.print(part, markup=False, highlight=False)
