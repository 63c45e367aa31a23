"""``rgbt train``: train a tracker from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nestfuse_core.common.extras import require
from nestfuse_core.common.options import Device, output_folder


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A YAML file, or a name in configs/training.")],
    output: Annotated[Path, output_folder("Folder of the run.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on exactly where the folder's last.pt ends.")] = False,
    until: Annotated[int, typer.Option(min=0, help="Stop (and save) after this step; 0: at the recipe's end.")] = 0,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe: --set optimiser.rate=0.001; repeatable."),
    ] = None,
    device: Device = "auto",
) -> None:
    """Train a tracker from a recipe; under torchrun, every process takes its share of the batch."""
    require("train", "matplotlib")
    import os
    from contextlib import nullcontext

    from nestfuse_core.common import console
    from nestfuse_core.common.devices import select_device
    from nestfuse_core.common.files import OTHER_OUTPUT, held
    from rgbt_tracker.training.changes import parse_changes
    from rgbt_tracker.training.loop.run import check_output, open_trainer, stopped_by_signals
    from rgbt_tracker.training.optimisation.parallel import process_group
    from rgbt_tracker.training.recipe import load_recipe

    settings = load_recipe(recipe, parse_changes(change or []))
    check_output(output, resume)
    place = select_device(device, int(os.environ.get("LOCAL_RANK", "0")))
    with process_group(place) as group, held(output, OTHER_OUTPUT) if group.first else nullcontext():
        trainer = open_trainer(settings, output, place, group, resume)
        with stopped_by_signals(trainer), console.progress() as bar:
            task = bar.add_task(settings.name, total=settings.steps, completed=trainer.step, note="")
            trainer.run(until or None, lambda step, note: bar.update(task, completed=step, note=note))
        if group.first:
            console.stdout.print(
                f"{trainer.step} of {settings.steps} steps done; weights and curves are in '{output}'."
            )
