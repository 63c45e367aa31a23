"""``rgbt fuse-table III|IV|V``: a table of the NestFuse paper, measured here beside the printed values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pandas as pd


def _methods(given: list[str]) -> dict[str, Path]:
    from nestfuse_core.common.errors import UserError

    methods = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not (name and equals and folder):
            raise UserError(f"Expected --method NAME=FOLDER, such as --method IFCNN=results/ifcnn, got '{text}'.")
        methods[name] = Path(folder)
    return methods


def _show(frame: pd.DataFrame, title: str) -> None:
    from rich.table import Table

    from nestfuse_core.common import console

    table = Table(title=title)
    for column in frame.columns:
        table.add_column(column, justify="left" if column in ("method", "source") else "right")
    for row in frame.itertuples(index=False):
        cells = [value if isinstance(value, str) else "" if value != value else f"{value:.5f}" for value in row]
        table.add_row(*cells, style="dim" if row.source == "paper" else None)
    console.print_table(table)


def _table(
    table: str = typer.Argument(..., help="III (lambda), IV (deep supervision) or V (strategies and other methods)."),
    pairs: Path = typer.Option(..., help="Folder of infrared and visible pictures, paired by name (IR1, VIS1, ...)."),
    visible: Path = typer.Option(None, help="Folder of the visible pictures, if --pairs holds the infrared ones only."),
    network: str = typer.Option(
        "paper", help="Version of the network: paper (0.46 M parameters) or released (2.73 M, the authors' code)."
    ),
    method: list[str] = typer.Option([], help="NAME=FOLDER: score another method's fused pictures too; repeatable."),
    as_released: bool = typer.Option(
        False,
        "--as-released",
        help="Fuse as the released code does: softmax as spatial attention, pictures above 512 pixels cut in four.",
    ),
    runs: Path = typer.Option(None, help="Folder of networks trained for this table, instead of the shipped ones."),
    train: Path = typer.Option(None, help="Photographs: train the networks that are missing, into --runs."),
    steps: int = typer.Option(None, help="With --train: length of each training, instead of the shipped recipe's."),
    size: int = typer.Option(None, help="With --train: side of the crops, instead of the shipped recipe's."),
    output: Path = typer.Option(None, help="Also write the table as CSV."),
    fused: Path = typer.Option(None, help="Also write the fused pictures, one folder a row."),
    device: str = typer.Option("cpu", help="auto, cpu or cuda."),
) -> None:
    """Measure a table of the paper: ours, the printed values, and any other method's results."""
    from nestfuse_core import tables
    from nestfuse_core.common import console
    from nestfuse_core.common.devices import select_device
    from nestfuse_core.common.errors import UserError
    from nestfuse_core.common.files import check_writable, write_text
    from nestfuse_core.fusion.pairs import match_folders

    table = tables.check_table(table)
    if output:
        check_writable(output.parent)
    methods = _methods(method)
    found, _ = match_folders(pairs, visible or pairs)
    if train:
        if runs is None:
            raise UserError("With --train, say where the trained networks go: --runs DIR.")
        changes = {name: value for name, value in (("steps", steps), ("size", size)) if value is not None}
        tables.train_missing(table, runs, str(train), changes, device, console.stderr.print, network)
    networks = tables.open_networks(table, runs, str(select_device(device)), network)
    with console.progress() as bar:
        total = len(found) * (len(tables.ENTRIES[table]) + len(methods))
        task = bar.add_task(f"Table {table}", total=total, note="")
        frame = tables.build_table(
            table, networks, found, methods, lambda label: bar.update(task, advance=1, note=label), fused, as_released
        )
    how = ", fused as the released code does" if as_released else ""
    _show(frame, f"Table {table}, {network} network: means over {len(found)} pairs{how}")
    if output:
        write_text(output, frame.to_csv(index=False, lineterminator="\n"))


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("fuse-table")(_table)
