"""How every command of the project talks to its user: progress, notes and tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.table import Table

from nestfuse_core.common.tables import fit


class Terminal(Console):
    """Rich's console, to which names of files, sequences and trackers are never commands to the terminal.

    Control letters and marks that turn the direction of writing become ``?``, and ``:x:`` stays what it is.
    """

    def __init__(self, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=True, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=without_commands(segment.text))


def without_commands(text: str) -> str:
    """The text with ``?`` for what is no letter and no line end."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


stderr = Terminal(stderr=True)
stdout = Terminal()


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
