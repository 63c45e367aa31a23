"""Random scenes for training: variety counts, beauty does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import read_bgr
from rgbt_tracker.synthetic.actors import companion
from rgbt_tracker.synthetic.drawn import DrawnSequence
from rgbt_tracker.synthetic.noise import Picture, to_bytes
from rgbt_tracker.synthetic.panorama import Place
from rgbt_tracker.synthetic.places import PLACES, from_photograph, patchwork
from rgbt_tracker.synthetic.renderer import Stage
from rgbt_tracker.synthetic.scenes import Event, Scene, split
from rgbt_tracker.training.data.cutting import CropWriter, usable

KINDS = ("person", "walker", "dog", "cyclist", "car", "thing", "thing", "thing", "thing")
DISTURBANCES = ("smoke", "dark", "glare", "crossover", "shake")
LENGTH = 48  # frames of a sequence that crops are spread over
FOLLOWED = 3  # targets of one sequence
VISIBLE = 0.4  # least share of a target that is not hidden
LICENCE = "Apache-2.0 (drawn by rgbt_tracker)"
_LATER = 500_000  # keeps these seeds apart from those of split


def varied_seeds(part: str, count: int) -> list[int]:
    """Seeds of a set ("train", "validation", "test"), disjoint from all others, those of ``split`` included."""
    return [seed + _LATER for _, seed in split(part, count)]


def random_scene(rng: np.random.Generator) -> Scene:
    """Draw a scene: any target, crossers of the same and other kinds, up to two disturbances."""

    def some(low: int, high: int) -> tuple[str, ...]:
        return tuple(KINDS[int(place)] for place in rng.integers(len(KINDS), size=int(rng.integers(low, high))))

    target = KINDS[int(rng.integers(len(KINDS)))]
    events = _disturbances(rng)
    return Scene(
        "varied",
        "random",
        place="any",
        target=(target,),
        crossers=(*some(1, 4), target),
        twins=int(rng.integers(0, 2)),
        passers=some(1, 4),
        occluders=int(rng.random() < 0.3),
        depth=float(rng.uniform(0, 1)),
        turns=int(rng.integers(0, 2)),
        zoom=float(rng.uniform(0, 0.8)) * float(rng.random() < 0.5),
        shake=float(rng.uniform(0.3, 1)) * float(rng.random() < 0.25),
        misaligned=float(rng.uniform(0, 0.5)) * float(rng.random() < 0.3),
        events=events,
    )


def _disturbances(rng: np.random.Generator) -> tuple[Event, ...]:
    """Up to two, anywhere in the sequence."""
    events = []
    for _ in range(int(rng.integers(0, 3))):
        start = float(rng.uniform(-0.3, 0.8))
        kind = DISTURBANCES[int(rng.integers(len(DISTURBANCES)))]
        events.append(Event(kind, start, start + float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.4, 1.0))))
    return tuple(events)


def photographs(folder: Path) -> list[Path]:
    """Image files of a folder, sorted. Raises UserError where there is none."""
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not found:
        raise UserError(f"Expected photographs (.jpg, .png) in {folder}, found none.")
    return found


def _background(rng: np.random.Generator, photos: list[Path]) -> Place:
    """A photograph in half of the cases where there are any, else patches or one of the drawn places."""
    if photos and rng.random() < 0.5:
        path = photos[int(rng.integers(len(photos)))]
        place = from_photograph(read_bgr(path, "photograph", "move it away"), rng)
    else:
        makers = [patchwork, patchwork, *PLACES.values()]
        place = makers[int(rng.integers(len(makers)))](rng)
    if rng.random() < 0.4:
        # Surroundings warmer than people, or much colder.
        place.ir = to_bytes(place.ir.astype(np.float32) * rng.uniform(0.5, 1.2) + rng.uniform(-30, 110))
    return place


def _thermal_camera(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A table of 256 grey values: gain, offset, gamma, and black-hot in three of ten cases."""
    values = np.linspace(0, 1, 256) ** rng.uniform(0.7, 1.4)
    values = values[::-1] if rng.random() < 0.3 else values
    return to_bytes(255 * (rng.uniform(0.55, 1.25) * (values - 0.5) + 0.5) + rng.uniform(-30, 30))


def _varied_stage(
    rng: np.random.Generator, seed: int, length: int, photos: list[Path]
) -> tuple[Stage, NDArray[np.uint8]]:
    """A random scene on stage, and the thermal camera that looks at it."""
    scene, place, camera = random_scene(rng), _background(rng, photos), _thermal_camera(rng)
    stage = Stage(scene, length, (640, 480), seed, place)
    # The scenes' own targets are large; benchmarks have many that are thirty pixels tall.
    stage.resize(float(np.exp(rng.uniform(np.log(0.35), 0))))
    return stage, camera


def draw_varied(seed: int, length: int, photos: Sequence[Path] = (), distant: bool = False) -> DrawnSequence:
    """Draw the random scene of a seed as a sequence of 640x480 frames; in half of them before a photograph, if any.

    ``distant``: everybody is smaller by another factor of 0.35 to 0.8.
    """
    stage, camera = _varied_stage(np.random.default_rng((seed, 99)), seed, length, list(photos))
    if distant:
        stage.resize(float(np.exp(np.random.default_rng(seed + 7).uniform(np.log(0.35), np.log(0.8)))))
    return DrawnSequence(stage, length, camera)


def draw_crowd(seed: int, length: int, photos: Sequence[Path] = ()) -> DrawnSequence:
    """Draw a person among people, 640x480: small, often with company at its side, crossed by others in like clothes."""
    rng = np.random.default_rng((seed, 123))
    events = _disturbances(rng)
    scene = Scene(
        "crowd",
        "a person among people",
        place="any",
        crossers=("person",) * 4,
        twins=2,
        passers=("person",) * 4,
        occluders=int(rng.random() < 0.3),
        depth=float(rng.uniform(0, 0.6)),
        turns=int(rng.integers(0, 2)),
        shake=float(rng.uniform(0.3, 1)) * float(rng.random() < 0.2),
        misaligned=float(rng.uniform(0, 0.5)) * float(rng.random() < 0.3),
        events=events,
    )
    stage = Stage(scene, length, (640, 480), seed, _background(rng, list(photos)))
    camera = _thermal_camera(rng)
    if rng.random() < 0.6:
        stage.actors.append(companion(rng, stage.target))
    stage.resize(float(np.exp(rng.uniform(np.log(0.22), np.log(0.75)))))
    return DrawnSequence(stage, length, camera)


def varied_crops(seed: int, writer: CropWriter, most: int, photos: list[Path]) -> int:
    """Draw the random scene of a seed and add crops of up to three of its targets; returns their number.

    A seed with crops in the set already is left as it is.
    """
    names = [f"drawn-{seed}-{number}" for number in range(FOLLOWED)]
    if any(entry.sequence in names for entry in writer.entries.values()):
        return 0
    rng = np.random.default_rng((seed, 99))
    stage, camera = _varied_stage(rng, seed, LENGTH, photos)
    scene = stage.scene
    others = 1 + rng.permutation(len(scene.crossers) + len(scene.passers))[: FOLLOWED - 1]
    followed = [stage.target, *(stage.actors[int(number)] for number in others)]
    found: list[tuple[Any, ...]] = []
    for index in np.rint(np.linspace(0, LENGTH - 1, most)).astype(int):
        silhouettes = [stage.mask(index, actor) for actor in stage.actors]
        rgb, ir = stage.pictures(int(index))
        images = {"rgb": rgb, "ir": cv2.LUT(ir, camera)}
        for name, actor in zip(names, followed, strict=False):
            own = silhouettes[stage.actors.index(actor)]
            box = cv2.boundingRect(own)
            if usable(box, 640, 480) and _free(stage, silhouettes, stage.actors.index(actor), int(index)) >= VISIBLE:
                found.append((name, int(index) + 1, images, box, actor.sprite.kind))
    for name, frame, images, box, kind in found:
        writer.add(name, frame, images, box, kind="video", object=kind, source="drawn", licence=LICENCE)
    return 2 * len(found)


def _free(stage: Stage, silhouettes: list[Picture], number: int, index: int) -> float:
    """Share of an actor that nobody nearer hides."""
    own, row = silhouettes[number] > 0, stage.actors[number].row[index]
    area = int(np.count_nonzero(own))
    for other, silhouette in zip(stage.actors, silhouettes, strict=True):
        if other.row[index] > row:
            own &= silhouette == 0
    return int(np.count_nonzero(own)) / max(area, 1)
