"""How the command lines of both packages are built and run: plain help, one sentence for bad input."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.memory import keep_freed_memory

INTERRUPTED = 130


class Group(TyperGroup):
    """Commands whose list has the whole first sentence of each command's help; click would cut it short."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list."""
        with formatter.section("Commands"):
            formatter.write_dl(self.summaries(ctx))

    def summaries(self, ctx: Any) -> list[tuple[str, str]]:
        """Names and first sentences."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        return [(name, command.get_short_help_str(limit=1000)) for name, command in found if command is not None]


def application(**settings: Any) -> typer.Typer:
    """Return an application, or a group of commands, to add commands to; ``settings`` are typer's.

    Help is plain text: rich's panels would cost more time than all the rest of ``--help``.
    """
    plain = {"add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None, "cls": Group}
    return typer.Typer(**(plain | settings))


def single(command: Any) -> typer.Typer:
    """Return an application of one command without a name, for a script."""
    app = application()
    app.command()(command)
    return app


def run(app: Callable[..., Any], arguments: list[str] | None = None, *, keep_memory: bool = True) -> None:
    """Run a command line: a ``UserError`` becomes one sentence on stderr and exit code 2, Ctrl-C exit code 130.

    So does a file or folder that the system refuses (no permission, a file where a folder is to be, a full disk), and
    torch where it is needed and not installed.

    Args:
        app: an application, or a script's function of ``args``.
        arguments: the process's own by default.
        keep_memory: `keep_freed_memory` first.
    """
    if keep_memory:
        keep_freed_memory()
    try:
        app(args=arguments)
    except UserError as error:
        _refuse(str(error))
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        _refuse(
            "This needs torch, which is not installed: type pip install torch; what works without it is listed in "
            "docs/guides/export.md."
        )
    except OSError as error:
        if error.filename is None:
            raise
        _refuse(f"Cannot use '{error.filename}': {_reason(error)}; give another path, or make way there.")
    except SystemExit as end:
        # typer turns Ctrl-C into this exit code without a word.
        if end.code == INTERRUPTED:
            from nestfuse_core.common.console import stderr

            stderr.print("Interrupted; nothing half-written was left behind.")
        raise


def _refuse(sentence: str) -> NoReturn:
    from rich.markup import escape

    from nestfuse_core.common.console import stderr

    # Paths may hold brackets, which must not be taken for markup.
    stderr.print(f"[bold red]Error:[/] {escape(sentence)}", markup=True, highlight=False)
    sys.exit(2)


def _reason(error: OSError) -> str:
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return "a file lies where a folder is needed"
    return str(error.strerror)
