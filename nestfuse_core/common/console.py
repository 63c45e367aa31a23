"""How every command of the project talks to its user: progress, and one sentence for bad input."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.memory import keep_freed_memory
from nestfuse_core.common.tables import fit

INTERRUPTED = 130
stderr = Console(stderr=True, soft_wrap=True)
stdout = Console(soft_wrap=True)


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


def print_table(table: Table) -> None:
    """Print a table on stdout so that no cell is cut short, however narrow the terminal and many the columns."""
    for part in fit(table, stdout.width):
        stdout.print(part, markup=False, highlight=False)


def run(app: Any, arguments: list[str] | None = None) -> None:
    """Run a typer application: a ``UserError`` becomes one sentence on stderr and exit code 2, Ctrl-C exit code 130.

    So does a file or folder that the system refuses (no permission, a file where a folder is to be, a full disk).
    """
    keep_freed_memory()
    try:
        app(args=arguments)
    except UserError as error:
        _refuse(str(error))
    except OSError as error:
        if error.filename is None:
            raise
        _refuse(f"Cannot use '{error.filename}': {_reason(error)}; give another path, or make way there.")
    except SystemExit as end:
        # typer turns Ctrl-C into this exit code without a word.
        if end.code == INTERRUPTED:
            stderr.print("Interrupted; nothing half-written was left behind.")
        raise


def _refuse(sentence: str) -> NoReturn:
    # Paths may hold brackets, which must not be taken for markup.
    stderr.print(f"[bold red]Error:[/] {escape(sentence)}", markup=True, highlight=False)
    sys.exit(2)


def _reason(error: OSError) -> str:
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return "a file lies where a folder is needed"
    return str(error.strerror)
