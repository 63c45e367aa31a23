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
    import signal

    import torch

    from nestfuse_core.common import console
    from nestfuse_core.common.devices import select_device
    from nestfuse_core.common.errors import UserError
    from rgbt_tracker.training.loop.trainer import Trainer
    from rgbt_tracker.training.optimisation.parallel import process_group
    from rgbt_tracker.training.recipe import load_recipe

    settings = load_recipe(recipe, _changes(change or []))
    if not resume and (output / "last.pt").is_file():
        raise UserError(f"'{output}' holds a run already; go on with --resume, or choose another --output.")
    place = select_device(device, int(os.environ.get("LOCAL_RANK", "0")))
    with process_group(place) as group:
        torch.backends.cudnn.benchmark = True  # every batch has one of two shapes
        if settings.threads and place.type == "cpu":
            torch.set_num_threads(settings.threads)
        trainer = Trainer(settings, output, str(place), group)
        if resume:
            trainer.resume()

        def stop(*_: object) -> None:
            trainer.interrupted = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with console.progress() as bar:
                task = bar.add_task(settings.name, total=settings.steps, completed=trainer.step, note="")
                trainer.run(until or None, lambda step, note: bar.update(task, completed=step, note=note))
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if group.first:
            console.stdout.print(
                f"{trainer.step} of {settings.steps} steps done; weights and curves are in '{output}'."
            )


def _changes(pairs: list[str]) -> dict[str, object]:
    """``["a.b=1"]`` -> ``{"a.b": 1}``, values read as YAML."""
    import yaml

    from nestfuse_core.common.errors import UserError

    changes: dict[str, object] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign:
            raise UserError(f"--set expects key=value, got '{pair}'; for instance --set optimiser.rate=0.001.")
        changes[key] = yaml.safe_load(value)
    return changes
