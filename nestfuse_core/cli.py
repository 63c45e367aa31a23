"""``rgbt fuse`` (``python fuse_images.py``): infrared and visible pictures or videos to fused ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestfuse_core.common.commands import run, single
from nestfuse_core.common.devices import select_device
from nestfuse_core.common.options import TIMES, Device, Offset, PairBy, Rates, RigFile, ThermalTimes, one_of
from nestfuse_core.weights import DEFAULT

if TYPE_CHECKING:
    pass

Preset = Annotated[
    str,
    typer.Option(
        metavar="paper|standard", help="Definition of the metrics.", callback=one_of("preset", ("paper", "standard"))
    ),
]
Unpaired = Annotated[bool, typer.Option("--skip-unpaired", help="Folders: leave out images without a partner.")]


def fuse(
    ir: Annotated[Path, typer.Option(metavar="A", help="Infrared image, folder or video.")],
    vis: Annotated[Path, typer.Option(metavar="B", help="Visible image, folder or video; grey or colour.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="C", help="Image, folder (takes the visible names) or video to write."),
    ],
    strategy: Annotated[
        str,
        typer.Option(metavar="avg|max|nuclear|add", help="Channel attention, or add: DenseFuse's addition."),
    ] = "avg",
    spatial: Annotated[
        str,
        typer.Option(
            metavar="l1|softmax", help="Spatial attention: l1 (the paper's ratio) or softmax (the released code's)."
        ),
    ] = "l1",
    quarters: Annotated[
        bool,
        typer.Option(
            "--quarters", help="Cut pictures above 512 pixels in four, as the released code does (leaves seams)."
        ),
    ] = False,
    output_range: Annotated[
        str | None,
        typer.Option(
            "--range",
            metavar="clip|stretch",
            help="clip: grey levels as the network gives them. stretch: least and greatest to 0 and 255, as the "
            "released code [default: clip, for add stretch].",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="F",
            help=f"Name of shipped weights, or a file; an unknown name lists them [default: {DEFAULT}].",
        ),
    ] = None,
    device: Device = "auto",
    tile: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            help="Largest tile, a multiple of 8; smaller takes less memory [default: 448 above 750x560].",
        ),
    ] = None,
    thermal_range: Annotated[
        str,
        typer.Option(
            metavar="auto|image|shared|LOW,HIGH",
            help="What becomes black and white of infrared above 8 bits: each image's percentiles 0.1 and 99.9 (image),"
            " one steady range that follows the camera (shared: no flicker), or LOW,HIGH; auto is shared for frames"
            " over time, else image.",
        ),
    ] = "auto",
    maps: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for the attention maps.")] = None,
    metrics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV file for the seven metrics of every pair.")
    ] = None,
    preset: Preset = "paper",
    sheet: Annotated[Path | None, typer.Option(metavar="FILE", help="Image file for a contact sheet.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Folders: keep results that are already there.")] = False,
    skip_unpaired: Unpaired = False,
    fps: Rates = None,
    offset: Offset = 0.0,
    pair: PairBy = "auto",
    vis_times: Annotated[Path | None, typer.Option("--vis-times", metavar="FILE", help=TIMES.format("visible"))] = None,
    ir_times: ThermalTimes = None,
    rig: RigFile = None,
) -> None:
    """Fuse infrared and visible images, folders of them, or videos, with NestFuse.

    Videos, and folders whose frames have times, are paired by time, images in folders by name.
    """
    # torch and OpenCV take a second to load: only once the command is known to run.
    from nestfuse_core.cameras.matching import parse_timing
    from nestfuse_core.common.console import note
    from nestfuse_core.fusion import jobs, thermal
    from nestfuse_core.fusion.fuser import Fuser
    from nestfuse_core.model.network import load_network
    from nestfuse_core.rig.file import choose_rig
    from nestfuse_core.rig.lay import Laying

    timing = parse_timing(pair, offset, fps, vis_times, ir_times)
    chosen, said = choose_rig(rig, vis, ir)
    if chosen is not None:
        over_time = "image" not in (jobs.kind_of(ir), jobs.kind_of(vis))
        timing = chosen.completed(timing) if over_time else timing
    for text in said:
        note(text)
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
        timing,
        None if chosen is None or not chosen.lays else Laying(chosen),
    )
    work = jobs.plan(request)
    network = load_network(weights, select_device(device))
    work(Fuser(network, strategy, output_range, tile, keep_maps=maps is not None, spatial=spatial, quarters=quarters))


def main(arguments: list[str] | None = None) -> None:
    """Entry point of ``fuse_images.py``; ``arguments`` default to the process's own."""
    run(single(fuse), arguments)
