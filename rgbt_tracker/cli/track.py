"""``rgbt track`` and ``python track.py``: a sequence in, a track out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestfuse_core.common.commands import single
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import check_writable
from nestfuse_core.common.options import Device, Offset, PairBy, Rates, RigFile, Runtime, ThermalTimes, output_folder
from rgbt_tracker.cli.inputs import open_input
from rgbt_tracker.cli.options import (
    DEFAULT_CONFIG,
    Config,
    MaybeSequenceName,
    Modality,
    Thermal,
    Visible,
    VisibleTimes,
    Weights,
)

if TYPE_CHECKING:
    from nestfuse_core.fusion.fuser import VideoFuser
    from rgbt_tracker.config import TrackerConfig
    from rgbt_tracker.sequences.base import FrameSequence
    from rgbt_tracker.tracking.tracker import Tracker


def script() -> typer.Typer:
    """The application of ``python track.py``."""
    return single(track)


def track(
    sequence: MaybeSequenceName = None,
    rgb: Visible = None,
    ir: Thermal = None,
    fps: Rates = None,
    offset: Offset = 0.0,
    pair: PairBy = "auto",
    rgb_times: VisibleTimes = None,
    ir_times: ThermalTimes = None,
    rig: RigFile = None,
    init: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[N:]X,Y,W,H",
            help="Box of the target in the first frame; again without N: another target; with N: puts the only one's "
            "tracker back on it in frame N.",
        ),
    ] = None,
    targets: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Table of targets, a row a box: frame,id,x,y,w,h, frames from 0. One is followed from its first row's "
            "frame on, and put back on the boxes of its others.",
        ),
    ] = None,
    start: Annotated[int | None, typer.Option(metavar="N", help="Begin at frame N, counted from 0.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run that stopped early was.")] = False,
    config: Config = DEFAULT_CONFIG,
    weights: Weights = None,
    modality: Modality = None,
    output: Annotated[Path, output_folder("Folder for NAME.txt, scores and times.")] = Path("results"),
    device: Device = "auto",
    runtime: Runtime = "auto",
    video: Annotated[Path | None, typer.Option(metavar="FILE.mp4", help="Write an overlay video.")] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Watch in a window; draw the boxes there if none is known.")
    ] = False,
    fused: Annotated[
        bool, typer.Option("--fused", help="With --video or --show: the fused picture beside those of both cameras.")
    ] = False,
    homography: Annotated[
        str | None, typer.Option(metavar="FILE|9 numbers", help="3x3 matrix from thermal to visible pixels.")
    ] = None,
    maps: Annotated[bool, typer.Option("--maps", help="Show and keep the fusion weights of both cameras.")] = False,
    name: Annotated[str | None, typer.Option(help="Name of the result files.")] = None,
    root: Annotated[list[Path] | None, typer.Option(metavar="DIR", help="Dataset folder to look NAME up in.")] = None,
) -> None:
    """Follow a target, or several, through an RGB-thermal sequence.

    Writes DIR/NAME.txt (x,y,w,h a frame), NAME_scores.txt, NAME_time.txt and NAME_frames.csv; of several targets these
    of each as NAME_1, NAME_2, ... and all of them as NAME_mot.txt. Examples:

    rgbt track --sequence drawn:street --video street.mp4

    rgbt track --rgb day.mp4 --ir heat.mp4 --init 120,80,40,60

    rgbt track --rgb day.mp4 --ir heat.mp4 --init 120,80,40,60 --init 300,90,30,50 --video two.mp4
    """
    from nestfuse_core.cameras.matching import parse_timing
    from nestfuse_core.rig.file import NO_RIG

    if show:
        from rgbt_tracker.output.window import check_screen

        check_screen()
    from rgbt_tracker.output.follow import follow
    from rgbt_tracker.output.plan import make_plan
    from rgbt_tracker.output.request import Request
    from rgbt_tracker.sequences.watched import watch

    settings = _settings(config, modality, homography)
    if homography is not None and rig is None:
        rig = NO_RIG
    elif homography is not None and rig != NO_RIG:
        raise UserError("Both --rig and --homography say how thermal lies on visible; give one of them.")
    timing = parse_timing(pair, offset, fps, rgb_times, ir_times)
    if sequence is None and rgb is None and ir is None:
        raise UserError(
            "Nothing to track: give --sequence NAME|DIR (for example --sequence drawn:street), or --rgb A --ir B."
        )
    if fused and (len(settings.modalities) < 2 or not (video or show)):
        raise UserError("--fused shows both cameras' fused picture: give --video FILE.mp4 or --show, and both cameras.")
    with open_input(sequence, rgb, ir, timing, name, root or [], rig) as opened:
        _check_cameras(opened, settings)
        frames = watch(opened) if len(settings.modalities) > 1 else opened
        check_writable(output)
        plan = make_plan(
            frames.info,
            settings.modality,
            output,
            init=init or [],
            targets=targets,
            start=start,
            resume=resume,
            can_draw=show,
        )
        if video is not None:
            from nestfuse_core.common.video import check_video_name

            check_video_name(video)
            check_writable(video.parent)
        tracker = _build(settings, weights, device, runtime, frames.info.notes)
        fuse = _video_fuser(device, runtime) if fused else None
        tracker.record_maps = maps
        outcome = follow(tracker, settings, frames, plan, Request(output, video, show, maps, fuse))
        for line in (*outcome.lines, *frames.summary()):
            typer.echo(line)
        if outcome.error is not None:
            raise outcome.error
        if frames.broken:
            raise typer.Exit(1)


def _settings(config: str, modality: str | None, homography: str | None) -> TrackerConfig:
    from rgbt_tracker.config import load_config
    from rgbt_tracker.config.homography import read_homography

    settings = load_config(config)
    if modality is not None:
        settings = settings.replace(modality=modality)
    if homography is not None:
        settings = settings.replace(**{"thermal.homography": read_homography(homography)})
    return settings


def _video_fuser(device: str, runtime: str) -> VideoFuser:
    from nestfuse_core.fusion.fuser import Fuser
    from nestfuse_core.fusion.looks import DEFAULT, find_look
    from nestfuse_core.runtime.choose import open_runtime

    return Fuser(open_runtime(find_look(DEFAULT).weights, device, runtime)).video()


def _check_cameras(frames: FrameSequence, settings: TrackerConfig) -> None:
    present = frames.cameras
    for camera in settings.modalities:
        if camera not in present:
            raise UserError(
                f"The modality '{settings.modality}' needs {camera} frames, and '{frames.info.source}' has none: "
                f"give --{camera}, or --modality {present[0]}."
            )


def _build(settings: TrackerConfig, weights: str | None, device: str, runtime: str, notes: list[str]) -> Tracker:
    from nestfuse_core.common import console
    from rgbt_tracker.api import UNTRAINED, build_tracker

    for note in notes:
        console.note(note)
    if UNTRAINED in (weights, settings.weights if weights is None else None):
        console.note("the network is untrained; its track says nothing about the target.")
    return build_tracker(settings, weights, device, runtime=runtime)
