"""``rgbt train``: train a tracker from a recipe."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)


def train(
    recipe: str = typer.Argument(..., help="Recipe: a YAML file, or a name in configs/training."),
    output: Path = typer.Option(..., "--output", "-o", help="Folder of the run."),
    resume: bool = typer.Option(False, "--resume", help="Go on exactly where the folder's last.pt ends."),
    until: int = typer.Option(0, "--until", min=0, help="Stop (and save) after this step; 0: at the recipe's end."),
    change: list[str] = typer.Option([], "--set", help="Change a value of the recipe: --set optimiser.rate=0.001."),
    device: str = typer.Option("auto", "--device", help="auto, cpu or cuda."),
) -> None:
    """Train a tracker; under torchrun, every process takes its share of the batch."""
    import os
    import signal

    import torch

    from nestfuse_core.common import console
    from nestfuse_core.common.devices import select_device
    from nestfuse_core.common.errors import UserError
    from rgbt_tracker.training.loop.trainer import Trainer
    from rgbt_tracker.training.optimisation.parallel import process_group
    from rgbt_tracker.training.recipe import load_recipe

    settings = load_recipe(recipe, _changes(change))
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
