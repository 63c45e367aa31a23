"""Everything a run needs to go on exactly as if it had not stopped.

Data need no state: a batch is a function of seed and step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from nestfuse_core.common.checkpoints import read_checkpoint, save_checkpoint
from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.material import FOLDERS
from rgbt_tracker.training.recipe import Recipe

LAST = "last.pt"
# Parts of the recipe that change how a run is watched, not what it computes.
FREE = {"checkpoints", "validation", "threads"}
LOADING = {"workers", "processes", "cache_gb"}
"""Parts of ``data`` of the same kind."""


def save(path: Path, recipe: Recipe, state: dict[str, Any], device: torch.device) -> None:
    """Write a run's ``state`` with its recipe and torch's random generators."""
    random: dict[str, Any] = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        random["cuda"] = torch.cuda.get_rng_state(device)
    save_checkpoint(path, {"recipe": _essence(recipe), "random": random, **state})


def load(path: Path, recipe: Recipe, device: torch.device) -> dict[str, Any]:
    """Read the state of a run of the same recipe; torch's random generators go on where the run stopped.

    Raises:
        UserError: no such file, not a checkpoint of a run, or one of another recipe, naming the first difference.
    """
    if not path.is_file():
        raise UserError(f"Nothing to resume: no '{path}'; start the run without --resume.")
    state = read_checkpoint(path)
    if not isinstance(state, dict) or "optimiser" not in state or "recipe" not in state:
        raise UserError(f"'{path}' is not the checkpoint of a training run; give the folder that 'rgbt train' wrote.")
    _same_recipe(_completed(state["recipe"]), _essence(recipe), path)
    torch.set_rng_state(state["random"]["cpu"])
    if device.type == "cuda" and "cuda" in state["random"]:
        torch.cuda.set_rng_state(state["random"]["cuda"], device)
    return state


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
        source.update({key: Path(source[key]).name for key in FOLDERS if source[key]})
    return recipe


def _same_recipe(saved: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    for key, value in now.items():
        if saved.get(key) != value:
            raise UserError(
                f"'{path}' is of another recipe: '{key}' was {saved.get(key)!r} and is {value!r} now; "
                "resume with the recipe the run was started with, or choose another --output."
            )
