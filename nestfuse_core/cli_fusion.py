"""``rgbt fusion``: train the fusion network, measure the paper's tables, score fused pictures."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestfuse_core.cli import Preset, Unpaired
from nestfuse_core.common import console
from nestfuse_core.common.commands import application
from nestfuse_core.common.devices import select_device
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import require
from nestfuse_core.common.options import Device, one_of, output_file, output_folder
from nestfuse_core.fusion.looks import DEFAULT, LOOKS, find_look

if TYPE_CHECKING:
    import pandas as pd

    from nestfuse_core.fusion.pairs import Pair

NETWORKS = "The network: 0.46 M parameters, or the authors' code's 2.73 M"
METHODS = "methods"
"""The table that is not the paper's: the looks, plain ways to fuse, and other methods' pictures."""

fusion = application(help="Train the fusion network, measure the paper's tables, score.", no_args_is_help=True)


@fusion.command()
def train(
    images: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of photographs, searched through; they are read as grey.")
    ],
    output: Annotated[Path, output_folder("Folder of the run: weights, checkpoint, loss curve and plot.")],
    version: Annotated[str, typer.Option(metavar="paper|released", help=f"{NETWORKS}.")] = "paper",
    deep_supervision: Annotated[
        bool, typer.Option("--deep-supervision", help="Three outputs, loss averaged (Eq. 12).")
    ] = False,
    loss: Annotated[
        str, typer.Option(help="released: MSE and MS-SSIM; paper: squared Frobenius norm and SSIM.")
    ] = "released",
    weight: Annotated[float, typer.Option("--lambda", help="Weight of the SSIM part.")] = 100.0,
    preparation: Annotated[str, typer.Option(help="resize the whole image, or crop at random.")] = "resize",
    size: Annotated[int, typer.Option(help="Side of the training images in pixels.")] = 256,
    batch: Annotated[int, typer.Option(help="Images a step, over all processes.")] = 4,
    steps: Annotated[int | None, typer.Option(help="Length of the run; else --epochs decides.")] = None,
    epochs: Annotated[float, typer.Option(help="Passes over the images.")] = 2.0,
    rate: Annotated[float, typer.Option(help="Adam's learning rate.")] = 1e-4,
    warmup: Annotated[int, typer.Option(help="Steps over which the rate rises.")] = 0,
    schedule: Annotated[str, typer.Option(help="constant, or cosine down to 0.")] = "constant",
    initial: Annotated[
        str, typer.Option(help="Initial weights: default (PyTorch's) or kaiming (learns faster).")
    ] = "default",
    start: Annotated[Path | None, typer.Option(metavar="FILE", help="Weights to start from instead.")] = None,
    precision: Annotated[
        str, typer.Option(help="fp32, bf16, fp16 (CUDA); auto: bf16 on CUDA, fp32 on a CPU.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Decides the initial weights, the order and the crops.")] = 0,
    device: Device = "auto",
    workers: Annotated[int, typer.Option(help="Processes that read images ahead.")] = 0,
    save_every: Annotated[int, typer.Option(help="Steps between checkpoints.")] = 100,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --output.")] = False,
) -> None:
    """Train the fusion network. Several GPUs: torchrun --nproc_per_node N -m rgbt_tracker.cli.main fusion train ..."""
    given = locals()
    require("train", "matplotlib")
    from nestfuse_core.training import loop
    from nestfuse_core.training.curves import Row
    from nestfuse_core.training.settings import TrainSettings, check_settings

    values = {name: given[name] for name in TrainSettings.model_fields}
    settings = check_settings({key: str(value) if isinstance(value, Path) else value for key, value in values.items()})
    with console.progress() as bar:
        bar.disable = os.environ.get("RANK", "0") != "0"
        task = bar.add_task("training", total=None, note="")

        def on_step(row: Row, length: int) -> None:
            note = f"loss {row.loss:.1f} (pixel {row.pixel:.1f}, 1-SSIM {row.ssim:.4f})"
            bar.update(task, completed=row.step + 1, total=length, note=note)

        network = loop.train(
            settings,
            output,
            resume=resume,
            device=device,
            workers=workers,
            save_every=save_every,
            on_step=on_step,
            on_message=bar.console.print,
        )
    if not bar.disable:
        console.stdout.print(f"Weights: {network}; fuse with 'python fuse_images.py ... --weights {network}'.")


def _methods(given: list[str]) -> dict[str, Path]:
    methods = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not (name and equals and folder):
            raise UserError(f"Expected --method NAME=FOLDER, such as --method IFCNN=results/ifcnn, got '{text}'.")
        methods[name] = Path(folder)
    return methods


def _show(frame: pd.DataFrame, title: str) -> None:
    from rich.table import Table

    table = Table(title=title)
    for column in frame.columns:
        table.add_column(column, justify="left" if column in ("method", "source") else "right")
    for row in frame.itertuples(index=False):
        cells = [value if isinstance(value, str) else "" if value != value else f"{value:.5f}" for value in row]
        table.add_row(*cells, style="dim" if getattr(row, "source", "") == "paper" else None)
    console.print_table(table)


@fusion.command()
def table(
    which: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="Of the paper: III (lambda), IV (deep supervision) or V (strategies, other methods). methods: looks "
            "and plain ways to fuse, by all metrics in both definitions.",
        ),
    ],
    pairs: Annotated[
        Path, typer.Option(metavar="DIR", help="Infrared and visible pictures, paired by name (IR1, VIS1, ...).")
    ],
    visible: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the visible pictures, if it is not --pairs.")
    ] = None,
    look: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(LOOKS),
            help=f"How the rows measured here are fused [default: {DEFAULT}; for methods each of them].",
            callback=one_of("look", tuple(LOOKS)),
        ),
    ] = None,
    network: Annotated[
        str | None, typer.Option(metavar="paper|released", help=f"{NETWORKS} [default: the look's].")
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DIR", help="Score another method's fused pictures too; repeatable."),
    ] = None,
    runs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of networks trained for this table, before the shipped ones."),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Photographs: train the networks that are missing, into --runs."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="With --train: steps of each training, else the shipped recipe's.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="With --train: side of the crops, else the shipped recipe's.")
    ] = None,
    output: Annotated[Path | None, output_file("Also write the table as CSV.")] = None,
    fused: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write the fused pictures, one folder a row.")
    ] = None,
    device: Device = "cpu",
) -> None:
    """Measure a table of the paper, or of methods: ours, the printed values, and any other method's results."""
    require("bench", "pandas")
    if train:
        require("train", "matplotlib")
    from nestfuse_core import tables
    from nestfuse_core.common.files import check_writable, write_text
    from nestfuse_core.common.spreadsheets import csv_of
    from nestfuse_core.fusion.pairs import match_folders

    if output:
        check_writable(output.parent)
    methods = _methods(method or [])
    found, _ = match_folders(pairs, visible or pairs)
    if which.lower() == METHODS:
        frame = _compare(found, [look] if look else list(LOOKS), methods, fused, device)
        _show(frame, f"Means over {len(found)} pairs, channel attention avg")
        if output:
            write_text(output, csv_of(frame))
        return
    name = tables.check_table(which)
    chosen = find_look(look or DEFAULT)
    network = network or chosen.weights.partition("-")[0]
    if train:
        if runs is None:
            raise UserError("With --train, say where the trained networks go: --runs DIR.")
        changes = {key: value for key, value in (("steps", steps), ("size", size)) if value is not None}
        tables.train_missing(name, runs, str(train), changes, device, console.stderr.print, network)
    networks = tables.open_networks(name, runs, str(select_device(device)), network)
    with console.progress() as bar:
        total = len(found) * (len(tables.ENTRIES[name]) + len(methods))
        task = bar.add_task(f"Table {name}", total=total, note="")
        frame = tables.build_table(
            name, networks, found, methods, lambda label: bar.update(task, advance=1, note=label), fused, chosen.name
        )
    _show(frame, f"Table {name}, look {chosen.name}, {network} network: means over {len(found)} pairs")
    if output:
        write_text(output, csv_of(frame))


def _compare(
    pairs: list[Pair], looks: list[str], methods: dict[str, Path], save: Path | None, device: str
) -> pd.DataFrame:
    from nestfuse_core.comparison import compare, count
    from nestfuse_core.model.network import load_network

    networks = {look: load_network(LOOKS[look].weights, select_device(device)) for look in looks}
    with console.progress() as bar:
        task = bar.add_task("methods", total=len(pairs) * (count(networks) + len(methods)), note="")
        return compare(pairs, networks, methods, lambda label: bar.update(task, advance=1, note=label), save)


@fusion.command()
def score(
    ir: Annotated[Path, typer.Option(metavar="DIR", help="Folder of infrared images.")],
    vis: Annotated[Path, typer.Option(metavar="DIR", help="Folder of visible images; may be the same.")],
    fused: Annotated[
        list[Path],
        typer.Option(metavar="DIR", help="Folder of a method's fused images; give it again for further methods."),
    ],
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="CSV file for the scores of every image.")] = None,
    preset: Preset = "paper",
    skip_unpaired: Unpaired = False,
) -> None:
    """Score folders of fused images, made by any method, with the metrics of the NestFuse paper, SF, AG and Qabf."""
    from nestfuse_core.fusion import scores
    from nestfuse_core.fusion.pairs import match_folders, match_results
    from nestfuse_core.metrics import evaluate

    pairs, _ = match_folders(ir, vis, skip_unpaired)
    for folder in fused:
        match_results(pairs, folder)
    rows: list[scores.Row] = []
    methods = {}
    with console.progress() as bar:
        for folder in fused:
            task = bar.add_task(folder.name, total=len(pairs), note="")
            scored = scores.score_folder(pairs, folder, partial(evaluate, preset=preset), partial(bar.advance, task))
            methods[str(folder)] = scores.means(scored)
            rows += scored
    if csv is not None:
        scores.write_csv(csv, rows)
    console.print_table(scores.means_table(f"mean of {len(pairs)} pairs, preset {preset}", methods))
