"""``rgbt tune``: find penalty, window influence, learning rate and fusion variant for a tracker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestfuse_core.common.console import print_table, progress, stderr, stdout
from nestfuse_core.common.extras import require
from nestfuse_core.common.options import Device, Json, names, output_folder
from rgbt_tracker.cli.options import Config, Modality, Weights

if TYPE_CHECKING:
    from rgbt_tracker.tuning.study import Outcome


def tune(
    config: Config,
    weights: Weights = None,
    modality: Modality = None,
    device: Device = "auto",
    sequences: Annotated[
        Path | None,
        typer.Option(help="Folder of annotated sequences [default: drawn sequences]."),
    ] = None,
    drawn: Annotated[int, typer.Option(help="How many drawn sequences, without --sequences.")] = 22,
    length: Annotated[int, typer.Option(min=2, help="Frames of each drawn sequence.")] = 90,
    held_back: Annotated[float, typer.Option(help="Share of the sequences kept for checking the gain.")] = 0.5,
    trials: Annotated[int, typer.Option(min=1, help="Trials in all, those of earlier runs included.")] = 50,
    fusion: Annotated[
        str | None,
        typer.Option(help="Fusion variants to try too, for example attention:avg,attention:max,mean."),
    ] = None,
    criterion: Annotated[str, typer.Option(help="success, precision, normalised_precision or mean_iou.")] = "success",
    seed: Annotated[int, typer.Option(help="Of the split and of the search.")] = 0,
    memory: Annotated[float, typer.Option(min=0, help="GiB for remembered network outputs.")] = 1.0,
    output: Annotated[Path | None, output_folder("Folder [default: tuned/NAME].")] = None,
    json: Json = False,
) -> None:
    """Tune the tracking loop on some sequences, check the gain on others; run again to go on."""
    require("tune", "optuna")
    from nestfuse_core.common.files import OTHER_OUTPUT, held
    from rgbt_tracker.config import load_config
    from rgbt_tracker.evaluation.job import Setup
    from rgbt_tracker.tuning import result, sets
    from rgbt_tracker.tuning.run import Search
    from rgbt_tracker.tuning.run import tune as run

    settings = load_config(config)
    if modality is not None:
        settings = settings.replace(modality=modality)
    if sequences is None:
        stderr.print(f"Drawing {drawn} sequences of {length} frames; the first trial draws their pictures.")
    frames = sets.folder_set(sequences) if sequences else sets.drawn_set(drawn, length)
    search = Search(trials, criterion, names(fusion), held_back, seed, int(memory * (1 << 30)))
    folder = output or Path("tuned") / f"{settings.name}-{settings.modality}"
    with held(folder, OTHER_OUTPUT), progress() as display:
        task = display.add_task("trials", total=trials, note="")

        def on_step(done: int | None, note: str) -> None:
            display.update(task, completed=done, note=note)

        tuned = run(Setup(settings, weights, device), frames, search, folder, on_step)
    if json:
        stdout.print_json(tuned.report)
    else:
        _print(tuned.outcome, criterion, len(tuned.training), len(tuned.checked))
    stderr.print(
        f"{tuned.hit_rate:.0%} of the search regions had been seen before and needed no network "
        f"({tuned.saved:.0f} s saved).",
        highlight=False,
    )
    stderr.print(result.verdict(tuned.outcome, len(tuned.checked)), highlight=False)
    if tuned.config:
        stderr.print(f"Wrote {tuned.config}; use it with: python track.py --config {tuned.config}", highlight=False)


def _print(outcome: Outcome, criterion: str, training: int, checked: int) -> None:
    from rich.table import Table

    from rgbt_tracker.tuning.result import settings_table

    table = Table(title=f"{outcome.trials} trials, {outcome.pruned} stopped early")
    for column in ("", "default", "best"):
        table.add_column(column, justify="left" if column == "" else "right")
    for row in settings_table(outcome):
        table.add_row(*row)
    table.add_row(f"{criterion}, {training} training sequences", *(f"{value:.4f}" for value in outcome.training))
    table.add_row(f"{criterion}, {checked} held-back sequences", *(f"{value:.4f}" for value in outcome.held_back))
    print_table(table)
