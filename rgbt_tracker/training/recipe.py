"""What a training run is: a YAML recipe, typed, with unknown keys refused.

Fractions of the run (``from_step`` of an unfreezing, ``warmup``) are given in steps, so that the same recipe with
more steps is a different recipe and not a silent change of the schedule.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, field_validator

from nestfuse_core.common.errors import UserError, nearest
from nestfuse_core.common.files import write_text
from nestfuse_core.common.names import Name
from nestfuse_core.common.processes import MOST_THREADS
from rgbt_tracker.config import Section, config_directory, read_yaml, validated
from rgbt_tracker.training.material import Augmentation, Data, Share


class Targets(Section):
    """Which anchors count as positive and negative (SiamRPN++; PySOT's AnchorTarget), and how many of them.

    ``high`` and ``low`` are IoU of anchors. Of points those inside an ellipse with a quarter of the box's sides as half
    axes are positive, those outside one with half of them negative (SiamBAN).
    """

    high: float = Field(default=0.6, gt=0, lt=1)
    low: float = Field(default=0.3, gt=0, lt=1)
    positives: int = Field(default=16, ge=1)
    total: int = Field(default=64, ge=2)
    negative_pair: int = Field(default=16, ge=1)


class Loss(Section):
    """``classification`` x (0.5 NLL+ + 0.5 NLL-) + ``location`` x L, and where there is a teacher + ``teacher`` x T.

    L is L1 of anchors, 1 - IoU of points; T is KL of the responses, of points + (1 - IoU) with the teacher's boxes. The
    share ``hard`` of each region's negatives are the highest scoring ones instead of random ones.
    """

    classification: float = Field(default=1.0, ge=0)
    location: float = Field(default=1.2, ge=0)
    teacher: float = Field(default=0.5, ge=0)
    hard: Share = 0.0


class TeacherModel(Section):
    """A trained tracker to learn from: ``model`` is a name or YAML file; ``weights``, by default its own, likewise."""

    model: str
    weights: str | None = None


class Optimiser(Section):
    """SGD with momentum (official) or AdamW (short)."""

    type: Literal["sgd", "adamw"] = "sgd"
    rate: float = Field(default=0.005, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=1e-4, ge=0)
    clip: float = Field(default=10.0, gt=0)


class Schedule(Section):
    """Learning rate over the run as a factor of the optimiser's ``rate``.

    ``cosine``: linear warm-up over ``warmup`` steps, then half a cosine to ``end``.
    ``log``: constant within an epoch; from ``start`` to 1 over ``warmup_epochs``, then log-spaced to ``end``.
    """

    type: Literal["cosine", "log"] = "log"
    warmup: int = Field(default=0, ge=0)
    epoch: int = Field(default=1, ge=1)
    warmup_epochs: int = Field(default=5, ge=0)
    start: float = Field(default=0.2, gt=0, le=1)
    end: Share = 0.1


class Unfreeze(Section):
    """From ``from_step`` on, backbone modules named ``layers`` train at ``rate`` times the learning rate."""

    from_step: int = Field(ge=0)
    layers: tuple[str, ...] = Field(min_length=1)
    rate: float = Field(default=0.1, gt=0)


class Backbone(Section):
    """The backbone is frozen except for what ``unfreeze`` names; its batch statistics never change."""

    unfreeze: tuple[Unfreeze, ...] = ()


class Checkpoints(Section):
    """``every`` steps the run is saved for resuming; ``keep`` EMA models, evenly spaced, and one wherever it stops."""

    every: int = Field(default=500, ge=1)
    keep: int = Field(default=4, ge=0)


class Validation(Section):
    """One-pass mean IoU on held-out sequences ``every`` steps (0 never): drawn ones by name, and folders."""

    every: int = Field(default=0, ge=0)
    drawn: tuple[str, ...] = ()
    sequences: tuple[Path, ...] = ()
    frames: int = Field(default=80, ge=2)
    seed: int = 90210


class Recipe(Section):
    """A whole run; see the sections.

    ``model`` is a tracker's configuration (a name or a YAML file); ``fusion``, where given, replaces its strategy in
    paired steps. ``start`` is what `rgbt_tracker.training.loop.start.load_start` takes (none: random values).
    ``answers``: a paired step trains the fused answer alone, or each camera's by itself as well, of which a corrupted
    one learns only where the target is not, together with that of the fused features. ``statistics`` of the batch norms
    outside the backbone are the batch's, with moving averages, or fixed at those of the start.
    """

    name: Name
    model: str
    fusion: Literal["attention", "reliable", "fsrpn", "mean", "max", "add"] | None = None
    start: str | None = None
    answers: Literal["fused", "each"] = "fused"
    statistics: Literal["batch", "fixed"] = "batch"
    seed: int = Field(default=0, ge=0)
    steps: int = Field(ge=1)
    batch: int = Field(ge=1)
    precision: Literal["float32", "bfloat16"] = "float32"
    threads: int = Field(default=0, ge=0, le=MOST_THREADS)
    ema: float = Field(default=0.0, ge=0, lt=1)
    data: Data
    augment: Augmentation = Augmentation()
    targets: Targets = Targets()
    loss: Loss = Loss()
    teacher: TeacherModel | None = None
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    backbone: Backbone = Backbone()
    checkpoints: Checkpoints = Checkpoints()
    validation: Validation = Validation()

    @field_validator("backbone")
    @classmethod
    def _ascending(cls, value: Backbone) -> Backbone:
        steps = [unfreeze.from_step for unfreeze in value.unfreeze]
        if steps != sorted(steps):
            raise ValueError("the 'from_step' of the unfreezings must ascend")
        return value


def load_recipe(path: str | Path, overrides: dict[str, Any] | None = None) -> Recipe:
    """Read a recipe; relative folders in it are relative to the recipe's own folder.

    Args:
        path: YAML file, or the name of one in ``configs/training``.
        overrides: values of dotted keys, such as ``{"steps": 100, "data.paired": 0.5}``.

    Raises:
        UserError: no such file, not YAML, an unknown key or a value outside its range.
    """
    file = find_recipe(path)
    content = read_yaml(file)
    for key, value in (overrides or {}).items():
        _set(content, key, value)
    return _resolve(validated(Recipe, content, f"The recipe '{file}'"), file.parent)


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write the recipe with every value spelled out, folders absolute."""
    write_text(path, yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False))


def find_recipe(path: str | Path) -> Path:
    """Return the recipe's file: a path, or a name in the installed ``configs/training``."""
    file = Path(path)
    if file.is_file():
        return file
    folder = config_directory() / "training"
    named = folder / f"{file.name.removesuffix('.yaml')}.yaml"
    if file.parent == Path() and named.is_file():
        return named
    names = sorted(item.stem for item in folder.glob("*.yaml"))
    hint = nearest(file.stem, names) or (f"; recipes that come with the package: {', '.join(names)}" if names else "")
    raise UserError(f"No recipe '{path}'{hint}.")


def _set(content: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            raise UserError(f"'{key}' cannot be set: '{parent}' is not a section of the recipe.")
    content[last] = value


def _resolve(recipe: Recipe, folder: Path) -> Recipe:
    """Make the folders and files of the recipe relative to where it lies."""

    sources = tuple(source.placed(folder) for source in recipe.data.sources)
    validation = recipe.validation.model_copy(
        update={"sequences": tuple(folder / path for path in recipe.validation.sequences)}
    )
    data = recipe.data.model_copy(update={"sources": sources})
    teacher = recipe.teacher and recipe.teacher.model_copy(
        update={
            "model": _file(folder, recipe.teacher.model),
            "weights": recipe.teacher.weights and _file(folder, recipe.teacher.weights),
        }
    )
    files = {
        "teacher": teacher,
        "model": _file(folder, recipe.model),
        "start": recipe.start and _file(folder, recipe.start),
    }
    return recipe.model_copy(update={"data": data, "validation": validation, **files})


def _file(folder: Path, name: str) -> str:
    """The path of a file in the recipe's folder; a name of the package stays one."""
    return str(folder / name) if (folder / name).is_file() else name
