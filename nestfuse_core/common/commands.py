"""How the command lines of both packages are built: plain help, commands with all of their first sentence."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup


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
