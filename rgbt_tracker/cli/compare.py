"""``rgbt compare``: the same target followed with RGB alone, thermal alone and both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestfuse_core.common.console import note, print_table, progress
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.options import Device, Offset, PairBy, Rates, RigFile, Runtime, ThermalTimes, output_folder
from rgbt_tracker.cli.inputs import open_input
from rgbt_tracker.cli.options import (
    DEFAULT_CONFIG,
    Config,
    Init,
    MaybeSequenceName,
    Thermal,
    Visible,
    VisibleTimes,
    Weights,
)

if TYPE_CHECKING:
    from rgbt_tracker.boxes import Box
    from rgbt_tracker.config import TrackerConfig
    from rgbt_tracker.results.write import FrameRow
    from rgbt_tracker.sequences.base import Frame, FrameSequence
    from rgbt_tracker.tracking.interface import Result


def compare(
    sequence: MaybeSequenceName = None,
    rgb: Visible = None,
    ir: Thermal = None,
    fps: Rates = None,
    offset: Offset = 0.0,
    pair: PairBy = "auto",
    rgb_times: VisibleTimes = None,
    ir_times: ThermalTimes = None,
    rig: RigFile = None,
    init: Init = None,
    config: Config = DEFAULT_CONFIG,
    weights: Weights = None,
    output: Annotated[Path, output_folder("Folder for CONFIG-MODALITY/NAME.txt and NAME.jpg.")] = Path("results"),
    device: Device = "auto",
    runtime: Runtime = "auto",
) -> None:
    """Track with RGB, thermal and both, and compare the three.

    Prints a table, keeps the tracks (for `rgbt report`) and a picture of them. Without ground truth the table has no
    overlap.
    """
    from nestfuse_core.cameras.matching import parse_timing
    from nestfuse_core.common.files import check_writable
    from rgbt_tracker.config import load_config

    timing = parse_timing(pair, offset, fps, rgb_times, ir_times)
    settings = load_config(config)
    if sequence is None and (rgb is None or ir is None):
        raise UserError("Nothing to compare: give --sequence NAME|DIR, or both --rgb A and --ir B.")
    with open_input(sequence, rgb, ir, timing, rig=rig) as opened:
        frames = opened if sequence is not None else _from_both(opened)
        box = _start(frames, init)
        check_writable(output)
        for text in frames.info.notes:
            note(text)
        _compare(frames, box, settings, weights, device, runtime, output)


def _compare(
    frames: FrameSequence,
    box: Box | None,
    settings: TrackerConfig,
    weights: str | None,
    device: str,
    runtime: str,
    output: Path,
) -> None:
    from rich.table import Table

    from nestfuse_core.common.pictures import write_image
    from rgbt_tracker import build_tracker, track_sequence
    from rgbt_tracker.evaluation.one_pass import one_pass_scores
    from rgbt_tracker.output.comparison import LABELS, comparison_picture
    from rgbt_tracker.output.log import frame_row
    from rgbt_tracker.results.write import write_results
    from rgbt_tracker.sequences import prefetch
    from rgbt_tracker.sequences.watched import watch

    known = frames.groundtruth is not None
    table = Table("modality", *(["mean overlap", "success AUC"] if known else []), "frames/s")
    tracks, watched = {}, watch(frames)
    with progress() as display:
        for modality, label in LABELS.items():
            task = display.add_task(label, total=len(frames), note="")
            tracker = build_tracker(settings.replace(modality=modality), weights, device, runtime=runtime)
            rows: list[FrameRow] = []

            def keep(frame: Frame, result: Result | None, task=task, rows=rows, cameras=tracker.config.modalities):
                rows.append(frame_row(frame, result, cameras))
                display.advance(task)

            track = track_sequence(tracker, prefetch(watched if modality == "rgbt" else frames), box, keep)
            scores = one_pass_scores(track.boxes, frames.groundtruth) if frames.groundtruth is not None else {}
            write_results(output / f"{settings.name}-{modality}", frames.name, track, rows)
            overlaps = [f"{scores[name]:.3f}" for name in ("mean_iou", "success") if name in scores]
            table.add_row(label, *overlaps, f"{len(track.seconds) / track.seconds.sum():.1f}")
            tracks[modality] = track.boxes
    picture = output / f"{frames.name}.jpg"
    write_image(picture, comparison_picture(frames, tracks, settings))
    print_table(table)
    for line in watched.summary():
        typer.echo(line)
    typer.echo(f"picture: {picture}")


def _from_both(frames: FrameSequence) -> FrameSequence:
    """The sequence from the first frame on that has both cameras, since each of them starts on its own."""
    if frames.live:
        raise UserError(
            f"Live cameras cannot be compared, since '{frames.info.source}' cannot be run over three times."
        )
    first = frames.first_of_both()
    if first == 0:
        return frames
    frames.info.notes.append(f"The comparison begins at frame {first}, the first that both cameras have.")
    return frames.clip(first)


def _start(frames: FrameSequence, init: str | None) -> Box | None:
    """The first box, or None for the ground truth's."""
    from rgbt_tracker.box_files import parse_box

    if init is None and frames.groundtruth is None:
        raise UserError(
            f"Where is the target? '{frames.name}' has no ground truth: give --init x,y,w,h (pixels, x and y of the "
            "top-left corner)."
        )
    return None if init is None else parse_box(init)
