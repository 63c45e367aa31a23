"""``rgbt weights``: which weights there are, fetching them, adopting files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Column, Table

from nestfuse_core.common import console
from nestfuse_core.common.commands import application
from nestfuse_core.common.options import Json, output_file

weights = application(help="Weights by name: list, fetch, adopt, average.", no_args_is_help=True)


@weights.command("list")
def list_weights(as_json: Json = False) -> None:
    """Show every named set of weights and whether it is on this machine."""
    rows = [_row(name) for name in _names()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("name", "here", Column("MB", justify="right"), "licence", "config", "source")
    for row in rows:
        size = f"{row['size'] / 1e6:.1f}" if row["size"] else "?"
        table.add_row(row["name"], row["here"] or "no", size, row["licence"], row["config"] or "-", row["source"])
    console.print_table(table)
    console.stderr.print("Fetch one with 'rgbt weights get NAME'; adopt a file with 'rgbt weights add NAME FILE'.")


def _names() -> list[str]:
    from rgbt_tracker.zoo.store import known_names

    return known_names()


def _row(name: str) -> dict[str, Any]:
    from rgbt_tracker.zoo.entries import Entry, shipped, table
    from rgbt_tracker.zoo.store import cached_path

    added = Entry(name=name, licence="your own", source="added by you")
    own = Entry(name=name, source="shipped with the package")
    entry = table().get(name) or (own if name in shipped() else added)
    places = {"fetched": cached_path(name), "shipped": shipped().get(name)}
    here, path = next(((where, path) for where, path in places.items() if path and path.is_file()), (None, None))
    size = path.stat().st_size if path else entry.size
    return {**entry.model_dump(), "size": size, "here": here, "path": str(path) if path else None}


@weights.command("get")
def get_weights(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name from 'rgbt weights list'.")],
    force: Annotated[
        bool, typer.Option("--force", help="Fetch again and forget a hash recorded on first use.")
    ] = False,
) -> None:
    """Fetch weights into this user's cache ($RGBT_CACHE overrides the place); a broken transfer is resumed."""
    from rgbt_tracker.zoo.store import get

    with _byte_progress() as bar:
        task = bar.add_task(name, total=None)
        path = get(name, force, on_bytes=lambda done, total: bar.update(task, completed=done, total=total))
    console.stdout.print(f"{name}: {path}", highlight=False)


def _byte_progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console.stderr,
    )


@weights.command("add")
def add_weights(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of the list, or a new one.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A torch checkpoint.")],
) -> None:
    """Adopt your own file: it is checked and copied to the cache, and NAME works wherever weights are asked for."""
    from rgbt_tracker.zoo.store import add

    console.stdout.print(f"{name}: {add(name, file)}", highlight=False)


@weights.command("soup")
def soup(
    files: Annotated[list[str], typer.Argument(metavar="WEIGHTS", help="Names or files, all of one network.")],
    output: Annotated[Path, output_file("File for the mean, float16.")],
) -> None:
    """Write a model soup: the mean of several weights of one network, such as those before and after a fine-tuning."""
    from nestfuse_core.common.checkpoints import save_checkpoint
    from rgbt_tracker.zoo.soup import make_soup

    save_checkpoint(output, make_soup(files))
    console.stdout.print(str(output), highlight=False)
