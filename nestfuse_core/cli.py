"""``rgbt fuse`` (``python fuse_images.py``): infrared and visible pictures or videos to fused ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nestfuse_core.common.commands import single
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.options import TIMES, Device, Offset, PairBy, Rates, RigFile, Runtime, ThermalTimes, one_of
from nestfuse_core.fusion.looks import DEFAULT as DEFAULT_LOOK
from nestfuse_core.fusion.looks import LOOKS, find_look

LookName = Annotated[
    str,
    typer.Option(
        "--look",
        metavar="|".join(LOOKS),
        help="natural: clear contrast without seams; paper: as the authors' code in every respect; equations: Eq. 5 of "
        "the paper with grey levels as they come.",
        callback=one_of("look", tuple(LOOKS)),
    ),
]
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
    look: LookName = DEFAULT_LOOK,
    overlay: Annotated[
        bool,
        typer.Option(
            "--overlay", help="Instead of a fused picture, the visible one with its warm parts in a colour map."
        ),
    ] = False,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="F",
            help="Name of shipped weights, a file, or an export's folder; an unknown name lists them [default: the "
            "look's].",
        ),
    ] = None,
    device: Device = "auto",
    runtime: Runtime = "auto",
    tile: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            help="Largest tile that the network sees, a multiple of 8; smaller takes less memory [default: 448 where "
            "that is above 750x560].",
        ),
    ] = None,
    thermal_range: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="What becomes black and white of infrared above 8 bits [default: the percentiles 0.1 and 99.9].",
        ),
    ] = None,
    levels: Annotated[
        str,
        typer.Option(
            metavar="auto|image|steady",
            help="Grey levels, of raw infrared and of the result, set for each pair by itself (image) or following the "
            "cameras slowly through frames in their order (steady: no flicker); auto is steady for frames over time.",
            callback=one_of("levels", ("auto", "image", "steady")),
        ),
    ] = "auto",
    maps: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for the attention maps.")] = None,
    metrics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV file for the metrics of every pair.")
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
    # OpenCV and what computes the network take a second to load: only once the command is known to run.
    from nestfuse_core.cameras.matching import parse_timing
    from nestfuse_core.common.console import note
    from nestfuse_core.fusion import jobs, thermal
    from nestfuse_core.fusion.fuser import Fuser
    from nestfuse_core.fusion.overlay import Overlay
    from nestfuse_core.rig.file import choose_rig
    from nestfuse_core.rig.lay import Laying
    from nestfuse_core.runtime.choose import open_runtime

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
        levels,
        resume,
        skip_unpaired,
        timing,
        None if chosen is None or not chosen.lays else Laying(chosen),
    )
    limits = thermal.parse_range(thermal_range)
    style = find_look(look)
    if overlay and maps is not None:
        raise UserError("Attention maps (--maps) are of fused pictures; ask for them or for --overlay, not both.")
    work = jobs.plan(request)
    if overlay:
        work(Overlay(limits))
        return
    opened = open_runtime(weights or style.weights, device, runtime)
    work(Fuser(opened, strategy, style, tile, limits, keep_maps=maps is not None))


def script() -> typer.Typer:
    """The application of ``python fuse_images.py``."""
    return single(fuse)
