"""Everything a run needs to go on exactly as if it had not stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from pydantic import ValidationError

from nestfuse_core.common.checkpoints import read_checkpoint, save_checkpoint
from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.recipe import Recipe

if TYPE_CHECKING:
    from rgbt_tracker.training.loop import Trainer

LAST = "last.pt"
# Parts of the recipe that change how a run is watched, not what it computes.
FREE = {"checkpoints", "validation", "threads"}
LOADING = {"workers", "processes", "cache_gb"}
"""Parts of ``data`` of the same kind."""


def save(trainer: Trainer, path: Path) -> None:
    """Write the state after ``trainer.step`` steps: network, averages, optimiser, scaler, counters and generators.

    Data need no state: a batch is a function of seed and step.
    """
    random: dict[str, Any] = {"cpu": torch.get_rng_state()}
    if trainer.device.type == "cuda":
        random["cuda"] = torch.cuda.get_rng_state(trainer.device)
    save_checkpoint(
        path,
        {
            "recipe": _essence(trainer.recipe),
            "step": trainer.step,
            "skipped": trainer.skipped,
            "state_dict": trainer.stages.state(),
            "average": trainer.average.state(),
            "optimiser": trainer.optimiser.state_dict(),
            "scaler": trainer.scaler.state_dict(),
            "random": random,
        },
    )


def load(trainer: Trainer, path: Path) -> None:
    """Bring a fresh trainer of the same recipe into the saved state.

    Raises:
        UserError: no such file, not a checkpoint of a run, or one of another recipe, naming the first difference.
    """
    if not path.is_file():
        raise UserError(f"Nothing to resume: no '{path}'; start the run without --resume.")
    state = read_checkpoint(path)
    if not isinstance(state, dict) or "optimiser" not in state or "recipe" not in state:
        raise UserError(f"'{path}' is not the checkpoint of a training run; give the folder that 'rgbt train' wrote.")
    _same_recipe(_completed(state["recipe"]), _essence(trainer.recipe), path)
    trainer.network.load_state_dict(state["state_dict"])
    trainer.average.load(state["average"], trainer.device)
    trainer.optimiser.load_state_dict(state["optimiser"])
    trainer.scaler.load_state_dict(state["scaler"])
    trainer.step, trainer.skipped = state["step"], state["skipped"]
    torch.set_rng_state(state["random"]["cpu"])
    if trainer.device.type == "cuda" and "cuda" in state["random"]:
        torch.cuda.set_rng_state(state["random"]["cuda"], trainer.device)


def _completed(saved: dict[str, Any]) -> dict[str, Any]:
    """A saved recipe with the defaults of keys that have been added since."""
    try:
        return _essence(Recipe.model_validate(saved))
    except ValidationError:
        return saved


def _essence(settings: Recipe) -> dict[str, Any]:
    recipe = settings.model_dump(mode="json", exclude=FREE)
    recipe["data"] = {key: value for key, value in recipe["data"].items() if key not in LOADING}
    for source in recipe["data"]["sources"]:  # the same data may lie elsewhere after a move
        source.update({key: Path(source[key]).name for key in ("crops", "photos", "masks") if source[key]})
    return recipe


def _same_recipe(saved: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    for key, value in now.items():
        if saved.get(key) != value:
            raise UserError(
                f"'{path}' is of another recipe: '{key}' was {saved.get(key)!r} and is {value!r} now; "
                "resume with the recipe the run was started with, or choose another --output."
            )
