"""``rgbt compare``: the same target followed with RGB alone, thermal alone and both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestfuse_core.common.console import print_table, progress
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.options import Device, output_folder
from rgbt_tracker.cli.options import DEFAULT_CONFIG, Config, SequenceName, Weights

if TYPE_CHECKING:
    from rgbt_tracker.results.write import FrameRow
    from rgbt_tracker.sequences import Frame
    from rgbt_tracker.tracking.interface import Result


def compare(
    sequence: SequenceName,
    config: Config = DEFAULT_CONFIG,
    weights: Weights = None,
    output: Annotated[Path, output_folder("Folder for CONFIG-MODALITY/NAME.txt and NAME.jpg.")] = Path("results"),
    device: Device = "auto",
) -> None:
    """Track with RGB, thermal and both, and compare the three.

    Prints a table, keeps the tracks (for `rgbt report`) and a picture of them.
    """
    from rich.table import Table

    from nestfuse_core.common.files import check_writable
    from nestfuse_core.common.pictures import write_image
    from rgbt_tracker import build_tracker, load_config, open_sequence, track_sequence
    from rgbt_tracker.evaluation.one_pass import one_pass_scores
    from rgbt_tracker.output.comparison import LABELS, comparison_picture
    from rgbt_tracker.output.log import frame_row
    from rgbt_tracker.results.write import write_results
    from rgbt_tracker.sequences import prefetch

    settings = load_config(config)
    frames = open_sequence(sequence)
    if frames.groundtruth is None:
        raise UserError(
            f"'{frames.name}' has no ground truth to compare with; use python track.py --sequence {sequence}."
        )
    check_writable(output)
    table = Table("modality", "mean overlap", "success AUC", "frames/s")
    tracks = {}
    with progress() as display:
        for modality, label in LABELS.items():
            task = display.add_task(label, total=len(frames), note="")
            tracker = build_tracker(settings.replace(modality=modality), weights, device)
            rows: list[FrameRow] = []

            def note(frame: Frame, result: Result | None, task=task, rows=rows, cameras=tracker.config.modalities):
                rows.append(frame_row(frame, result, cameras))
                display.advance(task)

            track = track_sequence(tracker, prefetch(frames), on_frame=note)
            scores = one_pass_scores(track.boxes, frames.groundtruth)
            write_results(output / f"{settings.name}-{modality}", frames.name, track, rows)
            rate = f"{len(track.seconds) / track.seconds.sum():.1f}"
            table.add_row(label, f"{scores['mean_iou']:.3f}", f"{scores['success']:.3f}", rate)
            tracks[modality] = track.boxes
    picture = output / f"{frames.name}.jpg"
    write_image(picture, comparison_picture(frames, tracks, settings))
    print_table(table)
    typer.echo(f"picture: {picture}")
