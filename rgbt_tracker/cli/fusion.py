"""``rgbt fuse`` and ``rgbt fusion train|table|score``: the commands of nestfuse_core."""

from __future__ import annotations

import typer

from nestfuse_core import cli


def register(app: typer.Typer) -> None:
    """Add ``rgbt fuse`` and the group ``rgbt fusion``."""
    app.command("fuse")(cli.fuse)
    group = typer.Typer(help="Train the fusion network, measure the paper's tables, score fused pictures.")
    group.command("train")(cli.train)
    group.command("table")(cli.table)
    group.command("score")(cli.score)
    app.add_typer(group, name="fusion")
