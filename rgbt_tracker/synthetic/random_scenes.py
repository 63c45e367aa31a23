"""Random scenes for training (domain randomisation): variety counts, beauty does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.pictures import read_bgr
from rgbt_tracker.synthetic.actors import companion
from rgbt_tracker.synthetic.drawn import DrawnSequence
from rgbt_tracker.synthetic.noise import to_bytes
from rgbt_tracker.synthetic.panorama import Place
from rgbt_tracker.synthetic.places import PLACES, from_photograph, patchwork
from rgbt_tracker.synthetic.renderer import Renderer
from rgbt_tracker.synthetic.scenes import Event, Scene, split

KINDS = ("person", "walker", "dog", "cyclist", "car", "thing", "thing", "thing", "thing")
DISTURBANCES = ("smoke", "dark", "glare", "crossover", "shake")
SIZE = (640, 480)
_SEED_OFFSET = 500_000  # keeps these seeds apart from those of split


def random_seeds(part: str, count: int) -> list[int]:
    """Seeds of a set ("train", "validation", "test"), disjoint from all others, those of ``split`` included."""
    return [seed + _SEED_OFFSET for _, seed in split(part, count)]


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
        lookalikes=int(rng.integers(0, 2)),
        passers_by=some(1, 4),
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


def _background(rng: np.random.Generator, photos: list[Path]) -> Place:
    """A photograph in half of the cases where there are any, else patches or one of the drawn places."""
    if photos and rng.random() < 0.5:
        path = photos[int(rng.integers(len(photos)))]
        place = from_photograph(read_bgr(path, "photograph"), rng)
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


def random_renderer(
    rng: np.random.Generator, seed: int, length: int, size: tuple[int, int], photos: list[Path]
) -> tuple[Renderer, NDArray[np.uint8]]:
    """A random scene, and the (256,) grey values of the thermal camera that looks at it."""
    scene, place, camera = random_scene(rng), _background(rng, photos), _thermal_camera(rng)
    renderer = Renderer(scene, length, size, seed, place)
    # The scenes' own targets are large; benchmarks have many that are thirty pixels tall.
    renderer.resize(float(np.exp(rng.uniform(np.log(0.35), 0))))
    return renderer, camera


def draw_random(seed: int, length: int, photos: Sequence[Path] = (), small: bool = False) -> DrawnSequence:
    """Draw the random scene of a seed as a sequence of 640x480 frames; in half of them before a photograph, if any.

    ``small``: everybody is smaller by another factor of 0.35 to 0.8.
    """
    renderer, camera = random_renderer(np.random.default_rng((seed, 99)), seed, length, SIZE, list(photos))
    if small:
        renderer.resize(float(np.exp(np.random.default_rng(seed + 7).uniform(np.log(0.35), np.log(0.8)))))
    return DrawnSequence(renderer, length, camera)


def draw_crowd(seed: int, length: int, photos: Sequence[Path] = ()) -> DrawnSequence:
    """Draw a person among people, 640x480: small, often with company at its side, crossed by others in like clothes."""
    rng = np.random.default_rng((seed, 123))
    events = _disturbances(rng)
    scene = Scene(
        "crowd",
        "a person among people",
        place="any",
        crossers=("person",) * 4,
        lookalikes=2,
        passers_by=("person",) * 4,
        occluders=int(rng.random() < 0.3),
        depth=float(rng.uniform(0, 0.6)),
        turns=int(rng.integers(0, 2)),
        shake=float(rng.uniform(0.3, 1)) * float(rng.random() < 0.2),
        misaligned=float(rng.uniform(0, 0.5)) * float(rng.random() < 0.3),
        events=events,
    )
    renderer = Renderer(scene, length, SIZE, seed, _background(rng, list(photos)))
    camera = _thermal_camera(rng)
    if rng.random() < 0.6:
        renderer.actors.append(companion(rng, renderer.target))
    renderer.resize(float(np.exp(rng.uniform(np.log(0.22), np.log(0.75)))))
    return DrawnSequence(renderer, length, camera)
