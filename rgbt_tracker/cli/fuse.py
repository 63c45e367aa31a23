"""``rgbt fuse`` and ``rgbt fuse-score``: image fusion, the same commands as nestfuse_core offers on its own."""

from __future__ import annotations

import typer

from nestfuse_core import cli


def register(app: typer.Typer) -> None:
    """Add the two commands."""
    app.command("fuse")(cli.fuse)
    app.command("fuse-score")(cli.fuse_score)
