"""Command line of image fusion: ``rgbt fuse`` (``python fuse_images.py``) and ``rgbt fusion train|table|score``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nestfuse_core.common import console
from nestfuse_core.common.devices import select_device
from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.weights import DEFAULT

if TYPE_CHECKING:
    import pandas as pd

IR = typer.Option(..., "--ir", help="Infrared image, folder or video.", show_default=False)
VIS = typer.Option(..., "--vis", help="Visible image, folder or video; grey or colour.", show_default=False)


def fuse(
    ir: Path = IR,
    vis: Path = VIS,
    output: Path = typer.Option(
        ...,
        "--output",
        "-o",
        help="Image file, folder or video to write; a folder takes the visible names.",
        show_default=False,
    ),
    strategy: str = typer.Option("avg", help="Channel attention avg, max or nuclear; or add (DenseFuse's addition)."),
    spatial: str = typer.Option(
        "l1", help="Spatial attention: l1 (the paper's ratio) or softmax (the released code's)."
    ),
    quarters: bool = typer.Option(
        False, "--quarters", help="Cut pictures above 512 pixels in four, as the released code does (leaves seams)."
    ),
    output_range: str | None = typer.Option(
        None,
        "--range",
        help="clip: grey levels as the network gives them. stretch: least and greatest to 0 and 255, as the released "
        "code. Default: clip, for add stretch.",
        show_default=False,
    ),
    weights: str | None = typer.Option(
        None,
        help="Name of shipped weights, such as released-lambda100, or a file; an unknown name lists them.",
        show_default=DEFAULT,
    ),
    device: str = typer.Option("auto", help="auto, cpu or cuda."),
    tile: int | None = typer.Option(
        None,
        help="Largest tile in pixels, a multiple of 8; smaller takes less memory.",
        show_default="448 above 750x560",
    ),
    thermal_range: str = typer.Option(
        "image",
        help="What becomes black and white of infrared above 8 bits: each image's percentiles 0.1 and 99.9 (image), "
        "those of all (shared: no flicker), or LOW,HIGH.",
    ),
    maps: Path | None = typer.Option(None, help="Folder for the attention maps.", show_default=False),
    metrics: Path | None = typer.Option(None, help="CSV file for the seven metrics of every pair.", show_default=False),
    preset: str = typer.Option("paper", help="Definition of the metrics: paper or standard."),
    sheet: Path | None = typer.Option(None, help="Image file for a contact sheet.", show_default=False),
    resume: bool = typer.Option(False, "--resume", help="Folders: keep results that are already there."),
    skip_unpaired: bool = typer.Option(False, "--skip-unpaired", help="Folders: leave out images without a partner."),
    shortest: bool = typer.Option(False, "--shortest", help="Videos: stop where the shorter one ends."),
) -> None:
    """Fuse infrared and visible images, folders of them, or videos, with NestFuse."""
    _check_preset(preset)
    # torch and OpenCV take a second to load: only once the command is known to run.
    from nestfuse_core.fusion import jobs, thermal
    from nestfuse_core.fusion.fuser import Fuser
    from nestfuse_core.model.network import load_network

    request = jobs.Request(
        ir,
        vis,
        output,
        maps,
        metrics,
        preset,
        sheet,
        thermal.parse_range(thermal_range),
        resume,
        skip_unpaired,
        shortest,
    )
    work = jobs.plan(request)
    network = load_network(weights, select_device(device))
    work(Fuser(network, strategy, output_range, tile, keep_maps=maps is not None, spatial=spatial, quarters=quarters))


def train(
    images: Path = typer.Option(..., help="Folder of photographs, searched through; they are read as grey."),
    output: Path = typer.Option(..., help="Folder of the run: weights, checkpoint, loss curve and plot."),
    version: str = typer.Option("paper", help="paper (0.46 M parameters) or released (2.73 M)."),
    deep_supervision: bool = typer.Option(False, "--deep-supervision", help="Three outputs, loss averaged (Eq. 12)."),
    loss: str = typer.Option("released", help="released: MSE and MS-SSIM; paper: squared Frobenius norm and SSIM."),
    weight: float = typer.Option(100.0, "--lambda", help="Weight of the SSIM part."),
    preparation: str = typer.Option("resize", help="resize the whole image, or crop at random."),
    size: int = typer.Option(256, help="Side of the training images in pixels."),
    batch: int = typer.Option(4, help="Images a step, over all processes."),
    steps: int | None = typer.Option(None, help="Length of the run; else --epochs decides."),
    epochs: float = typer.Option(2.0, help="Passes over the images."),
    rate: float = typer.Option(1e-4, help="Adam's learning rate."),
    warmup: int = typer.Option(0, help="Steps over which the rate rises."),
    schedule: str = typer.Option("constant", help="constant, or cosine down to 0."),
    initial: str = typer.Option("default", help="Initial weights: default (PyTorch's) or kaiming (learns faster)."),
    start: Path | None = typer.Option(None, help="Weights to start from instead."),
    precision: str = typer.Option("auto", help="fp32, bf16, fp16 (CUDA); auto: bf16 on CUDA, fp32 on a CPU."),
    seed: int = typer.Option(0, help="Decides the initial weights, the order and the crops."),
    device: str = typer.Option("auto", help="auto, cpu or cuda."),
    workers: int = typer.Option(0, help="Processes that read images ahead."),
    save_every: int = typer.Option(100, help="Steps between checkpoints."),
    resume: bool = typer.Option(False, "--resume", help="Continue the run in --output."),
) -> None:
    """Train the fusion network. Several GPUs: torchrun --nproc_per_node N -m rgbt_tracker.cli.main fusion train ..."""
    from nestfuse_core.training import loop
    from nestfuse_core.training.curves import Row
    from nestfuse_core.training.settings import TrainSettings, check_settings

    given = locals()
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
        table.add_row(*cells, style="dim" if row.source == "paper" else None)
    console.print_table(table)


def table(
    which: str = typer.Argument(
        ..., metavar="TABLE", help="III (lambda), IV (deep supervision) or V (strategies and other methods)."
    ),
    pairs: Path = typer.Option(..., help="Folder of infrared and visible pictures, paired by name (IR1, VIS1, ...)."),
    visible: Path | None = typer.Option(None, help="Folder of the visible pictures, if it is not --pairs."),
    network: str = typer.Option(
        "paper", help="Version of the network: paper (0.46 M parameters) or released (2.73 M, the authors' code)."
    ),
    method: list[str] = typer.Option([], help="NAME=FOLDER: score another method's fused pictures too; repeatable."),
    as_released: bool = typer.Option(
        False,
        "--as-released",
        help="Fuse as the released code does: softmax as spatial attention, pictures above 512 pixels cut in four.",
    ),
    runs: Path | None = typer.Option(None, help="Folder of networks trained for this table, before the shipped ones."),
    train: Path | None = typer.Option(None, help="Photographs: train the networks that are missing, into --runs."),
    steps: int | None = typer.Option(None, help="With --train: steps of each training, else the shipped recipe's."),
    size: int | None = typer.Option(None, help="With --train: side of the crops, else the shipped recipe's."),
    output: Path | None = typer.Option(None, help="Also write the table as CSV."),
    fused: Path | None = typer.Option(None, help="Also write the fused pictures, one folder a row."),
    device: str = typer.Option("cpu", help="auto, cpu or cuda."),
) -> None:
    """Measure a table of the paper: ours, the printed values, and any other method's results."""
    from nestfuse_core import tables
    from nestfuse_core.common.files import check_writable, write_text
    from nestfuse_core.fusion.pairs import match_folders

    name = tables.check_table(which)
    if output:
        check_writable(output.parent)
    methods = _methods(method)
    found, _ = match_folders(pairs, visible or pairs)
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
            name, networks, found, methods, lambda label: bar.update(task, advance=1, note=label), fused, as_released
        )
    how = ", fused as the released code does" if as_released else ""
    _show(frame, f"Table {name}, {network} network: means over {len(found)} pairs{how}")
    if output:
        write_text(output, frame.to_csv(index=False, lineterminator="\n"))


def score(
    ir: Path = typer.Option(..., "--ir", help="Folder of infrared images.", show_default=False),
    vis: Path = typer.Option(..., "--vis", help="Folder of visible images; may be the same.", show_default=False),
    fused: list[Path] = typer.Option(
        ..., "--fused", help="Folder of a method's fused images; give it again for further methods.", show_default=False
    ),
    csv: Path | None = typer.Option(None, "--csv", help="CSV file for the scores of every image.", show_default=False),
    preset: str = typer.Option("paper", help="Definition of the metrics: paper or standard."),
    skip_unpaired: bool = typer.Option(False, "--skip-unpaired", help="Leave out images without a partner."),
) -> None:
    """Score folders of fused images, made by any method, with the seven metrics of the NestFuse paper."""
    _check_preset(preset)
    from nestfuse_core.fusion import scores
    from nestfuse_core.fusion.pairs import match_folders, match_results

    pairs, _ = match_folders(ir, vis, skip_unpaired)
    for folder in fused:
        match_results(pairs, folder)
    rows: list[scores.Row] = []
    methods = {}
    with console.progress() as bar:
        for folder in fused:
            task = bar.add_task(folder.name, total=len(pairs), note="")
            scored = scores.score_folder(pairs, folder, preset, lambda task=task: bar.advance(task))  # type: ignore[misc]
            methods[str(folder)] = scores.means(scored)
            rows += scored
    if csv is not None:
        scores.write_csv(csv, rows)
    console.print_table(scores.means_table(f"mean of {len(pairs)} pairs, preset {preset}", methods))


def _check_preset(preset: str) -> None:
    if preset not in ("paper", "standard"):
        raise UserError(
            f"Unknown preset '{preset}'; expected paper or standard{suggestion(preset, ('paper', 'standard'))}"
        )


def main(arguments: list[str] | None = None) -> None:
    """Entry point of ``fuse_images.py``; ``arguments`` default to the process's own."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(fuse)
    console.run(app, arguments)
