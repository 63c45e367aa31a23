"""The scenes by name, and sets of them with disjoint seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nestfuse_core.common.errors import UserError, suggestion

EVENTS = ("smoke", "dark", "glare", "crossover", "rgb_black", "ir_black", "shake")


@dataclass(frozen=True)
class Event:
    """A disturbance between two fractions of the sequence."""

    kind: str
    start: float
    stop: float
    strength: float = 1.0


@dataclass(frozen=True)
class Scene:
    """What is drawn; a seed decides looks, paths and the rest.

    Attributes:
        place: "street", "park", "square", or "any".
        target: kind of the target, or several to choose from.
        crossers: kinds of those who cross the target's way, one after the other.
        lookalikes: how many of the crossing people wear the target's clothes.
        passers_by: kinds of those who walk elsewhere.
        occluders: how many things stand in the way.
        depth: how far the target comes and goes, 0..1; turns: how often it turns back.
        zoom: largest change of focal length; shake: jitter during the whole sequence.
        misaligned: offset of the thermal camera in hundredths of the picture's width, with some roll and scale.
        events: disturbances over time.
    """

    name: str
    summary: str
    place: str = "street"
    target: tuple[str, ...] = ("person",)
    crossers: tuple[str, ...] = ()
    lookalikes: int = 0
    passers_by: tuple[str, ...] = ("person", "person")
    occluders: int = 0
    depth: float = 0.25
    turns: int = 0
    zoom: float = 0.0
    shake: float = 0.0
    misaligned: float = 0.0
    events: tuple[Event, ...] = ()
    length: int = 180


_ALL = (
    Scene(
        "street",
        "a walk through smoke, then through warm surroundings, with people crossing",
        crossers=("person", "person", "person", "person"),
        lookalikes=1,
        passers_by=("person", "car", "person"),
        events=(Event("smoke", 0.2, 0.46, 3.0), Event("crossover", 0.6, 0.88, 1.0)),
    ),
    Scene(
        "night",
        "lamps light parts of the way only",
        crossers=("person", "person", "cyclist"),
        passers_by=("person", "car"),
        events=(Event("dark", 0.12, 1.0, 1.0),),
    ),
    Scene(
        "smoke",
        "smoke hides the visible picture twice",
        place="square",
        crossers=("person", "person"),
        passers_by=("person", "person"),
        events=(Event("smoke", 0.18, 0.48, 2.6), Event("smoke", 0.66, 0.9, 2.6)),
    ),
    Scene(
        "crossover",
        "the surroundings become as warm as the target",
        place="park",
        crossers=("person", "dog", "person"),
        passers_by=("dog", "person"),
        events=(Event("crossover", 0.2, 0.85, 1.0),),
    ),
    Scene(
        "glare",
        "a low sun shines into the visible camera",
        place="park",
        target=("cyclist",),
        crossers=("cyclist", "person"),
        passers_by=("person", "dog"),
        events=(Event("glare", 0.2, 0.5, 1.0), Event("glare", 0.68, 0.95, 1.0)),
    ),
    Scene(
        "shake",
        "a hand-held camera",
        place="square",
        crossers=("person", "person"),
        shake=1.0,
        events=(Event("shake", 0.0, 1.0),),
    ),
    Scene(
        "zoom",
        "the target comes near while the camera zooms",
        place="park",
        target=("dog",),
        depth=1.0,
        zoom=0.7,
        passers_by=("person", "dog"),
    ),
    Scene(
        "occlusion",
        "trees and pillars stand in the way",
        place="square",
        crossers=("person", "person"),
        occluders=3,
    ),
    Scene(
        "blackout",
        "first one camera, then the other delivers black pictures",
        target=("car",),
        crossers=("car", "person", "car"),
        passers_by=("person", "person"),
        events=(Event("ir_black", 0.2, 0.42), Event("rgb_black", 0.58, 0.8)),
    ),
    Scene(
        "misaligned",
        "the thermal camera looks a little elsewhere",
        place="square",
        target=("cyclist", "person"),
        crossers=("person", "cyclist"),
        misaligned=1.0,
    ),
    Scene(
        "clutter",
        "a crowd in which some dress alike",
        place="square",
        crossers=("person",) * 6,
        lookalikes=3,
        passers_by=("person",) * 6,
        turns=1,
    ),
)
SCENES: dict[str, Scene] = {scene.name: scene for scene in _ALL}

# Seeds of the sets lie far apart and far from the seeds people type.
_FIRST_SEED = {"train": 1_000_000, "validation": 2_000_000, "test": 3_000_000}


def find_scene(name: str) -> Scene:
    """Return a scene by name. Raises UserError with the nearest name."""
    if name not in SCENES:
        raise UserError(f"Expected a scene ({', '.join(SCENES)}), got '{name}'{suggestion(name, SCENES)}")
    return SCENES[name]


def split(part: str, count: int, scenes: Sequence[str] | None = None) -> list[tuple[str, int]]:
    """Return ``count`` (scene name, seed) pairs of a set; no seed occurs in two sets.

    Args:
        part: "train", "validation" or "test".
        scenes: names to cycle through, all by default.
    """
    if part not in _FIRST_SEED:
        raise UserError(f"Expected a set ({', '.join(_FIRST_SEED)}), got '{part}'{suggestion(part, _FIRST_SEED)}")
    if not 0 <= count < 1_000_000:
        raise UserError(f"Expected 0 to 999999 sequences, got {count}.")
    names = [find_scene(name).name for name in (scenes or SCENES)]
    return [(names[index % len(names)], _FIRST_SEED[part] + index) for index in range(count)]
