"""Command line of image fusion: ``python fuse_images.py`` and ``rgbt fuse``, ``rgbt fuse-score``."""

from __future__ import annotations

from pathlib import Path

import typer

from nestfuse_core.common import console
from nestfuse_core.common.commands import run, single
from nestfuse_core.common.devices import select_device
from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.weights import DEFAULT

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


def fuse_score(
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
    from nestfuse_core.fusion.pairs import match_folders, match_results
    from nestfuse_core.metrics import folders

    pairs, _ = match_folders(ir, vis, skip_unpaired)
    for folder in fused:
        match_results(pairs, folder)
    rows: list[folders.Row] = []
    table = {}
    with console.progress() as bar:
        for folder in fused:
            task = bar.add_task(folder.name, total=len(pairs), note="")
            scored = folders.score_folder(pairs, folder, preset, lambda task=task: bar.advance(task))  # type: ignore[misc]
            table[str(folder)] = folders.means(scored)
            rows += scored
    if csv is not None:
        folders.write_csv(csv, rows)
    console.print_table(folders.means_table(f"mean of {len(pairs)} pairs, preset {preset}", table))


def _check_preset(preset: str) -> None:
    if preset not in ("paper", "standard"):
        raise UserError(
            f"Unknown preset '{preset}'; expected paper or standard{suggestion(preset, ('paper', 'standard'))}"
        )


def main(arguments: list[str] | None = None) -> None:
    """Entry point of ``fuse_images.py``; ``arguments`` default to the process's own."""
    run(single(fuse), arguments)
