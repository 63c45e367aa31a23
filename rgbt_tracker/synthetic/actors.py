"""Who moves where: the target, those who resemble it, and what gets in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rgbt_tracker.synthetic import creatures, people, props, vehicles
from rgbt_tracker.synthetic.motion import Values, sway
from rgbt_tracker.synthetic.panorama import WIDTH, Place, pixels_per_metre
from rgbt_tracker.synthetic.sprites import Matrix, Pose, Sprite

FPS = 30.0
# Metres per second.
SPEEDS = {"person": 1.35, "dog": 2.0, "cyclist": 2.6, "car": 3.4, "thing": 1.6, "walker": 0.5}


@dataclass(frozen=True, eq=False)
class Actor:
    """Something in a scene.

    Attributes:
        sprite: what it looks like.
        x, row: its foot in panorama pixels, per frame.
        flip: whether it looks to the left, per frame.
        travelled: metres covered so far, per frame; drives its gait.
        size: factor on its real size, per frame.
    """

    sprite: Sprite
    x: Values
    row: Values
    flip: np.ndarray
    travelled: Values
    size: Values

    def pose(self, index: int) -> Pose:
        return self.sprite.pose(float(self.travelled[index]))

    def matrix(self, index: int) -> Matrix:
        """2x3 matrix from drawing to panorama pixels."""
        scale = pixels_per_metre(self.row[index]) * self.size[index]
        return self.sprite.placed(self.x[index], self.row[index], scale, bool(self.flip[index]))


def moving(sprite: Sprite, x: Values, row: Values, size: float | Values = 1.0) -> Actor:
    """An actor on a path; it looks where it goes, and its legs follow the distance."""
    scale = np.array([pixels_per_metre(value) for value in row])
    step = np.diff(x, prepend=x[0])
    heading = np.where(np.abs(step) < 0.15, 0, np.sign(step))
    flip = np.empty(len(x), bool)
    current = bool(np.sum(step) < 0)
    for index, sign in enumerate(heading):
        current = current if sign == 0 else bool(sign < 0)
        flip[index] = current
    travelled = np.cumsum(np.hypot(step, np.diff(row, prepend=row[0]) * 2) / scale)
    return Actor(sprite, x, row, flip, travelled, np.broadcast_to(np.asarray(size, np.float64), x.shape))


def draw_sprite(kind: str, rng: np.random.Generator) -> Sprite:
    """Draw one object of a kind."""
    makers: dict[str, Callable[[np.random.Generator], Sprite]] = {
        "person": people.pedestrian,
        "walker": lambda source: people.pedestrian(source, front=True),
        "dog": creatures.dog,
        "cyclist": vehicles.cyclist,
        "car": vehicles.car,
        "thing": creatures.thing,
    }
    return makers[kind](rng)


def target(
    rng: np.random.Generator, sprite: Sprite, place: Place, length: int, depth: float, turns: int, speed: float = 1.0
) -> Actor:
    """The target: crosses the place, comes nearer or goes away by ``depth`` (0..1), turns back ``turns`` times."""
    time = np.arange(length) / max(length - 1, 1)
    low, high = place.far + 18, place.near - 40
    # Large things stay further away, so that they fit into the picture.
    reach = 0.32 if sprite.kind == "car" else 0.62
    home = low + (high - low) * rng.uniform(0.15, reach)
    rate, start = rng.uniform(1.2, 1.8), rng.uniform(0, 1)
    # A full approach starts at one end, so that the size is sure to change.
    start = np.round(start) + 0.5 if depth >= 1 else start
    swing = depth * 0.5 * (high - low) * np.sin(np.pi * (time * rate + start))
    row = np.clip(home + swing + 4 * sway(rng, length, 1.2), low, high if depth > 0 else home + 30)
    pace = speed * SPEEDS[sprite.kind] * rng.uniform(0.85, 1.2) / FPS
    direction = float(rng.choice([-1, 1]))
    # Turning back: the speed changes sign smoothly.
    course = np.tanh(6 * np.cos(np.pi * turns * time + 0.3)) if turns else np.ones(length)
    steps = direction * pace * course * np.array([pixels_per_metre(value) for value in row])
    x = np.cumsum(steps) + 8 * sway(rng, length, 1.5)
    return moving(sprite, x - (x.min() + x.max()) / 2 + WIDTH / 2 + rng.uniform(-60, 60), row)


def crosser(rng: np.random.Generator, sprite: Sprite, target: Actor, place: Place, when: float, nearer: bool) -> Actor:
    """Somebody who meets the target at the fraction ``when`` of the sequence, in front of or behind it."""
    length = len(target.x)
    meet = round(when * (length - 1))
    offset = float(rng.uniform(5, 16)) * (1 if nearer else -1)
    row = np.clip(target.row + offset + 2 * sway(rng, length, 1), place.far, place.near)
    scale = pixels_per_metre(float(row[meet]))
    heading = np.sign(target.x[-1] - target.x[0]) or 1.0
    # Either the other way or the same way and a little faster.
    against = rng.random() < 0.65
    pace = SPEEDS[sprite.kind] * scale / FPS * float(rng.uniform(0.7, 1.0) if against else rng.uniform(1.25, 1.5))
    x = target.x[meet] + (-heading if against else heading) * pace * (np.arange(length) - meet)
    return moving(sprite, x, row)


def companion(rng: np.random.Generator, target: Actor) -> Actor:
    """A person at the target's side, all the way."""
    scale = np.array([pixels_per_metre(value) for value in target.row])
    beside = float(rng.choice([-1, 1]) * rng.uniform(0.5, 1.4))
    row = target.row + float(rng.choice([-1, 1]) * rng.uniform(2, 7))
    sprite = people.pedestrian(rng)
    return moving(sprite, target.x + (beside + 0.25 * sway(rng, len(target.x), 2.0)) * scale, row)


def passer_by(rng: np.random.Generator, sprite: Sprite, place: Place, length: int) -> Actor:
    """Somebody who minds their own business anywhere in the place."""
    # Cars keep to the far side, where they do not fill the picture.
    near = place.far + 45 if sprite.kind == "car" else place.near
    row = np.full(length, rng.uniform(place.far, near)) + 3 * sway(rng, length, 0.8)
    pace = SPEEDS[sprite.kind] * rng.uniform(0.6, 1.1) * pixels_per_metre(float(row[0])) / FPS * rng.choice([-1, 1])
    return moving(
        sprite,
        rng.uniform(250, WIDTH - 250) + pace * (np.arange(length) - length / 2),
        np.clip(row, place.far, place.near),
    )


def occluder(rng: np.random.Generator, target: Actor, when: float) -> Actor:
    """Something that stands in the target's way at the fraction ``when`` and hides it for a while."""
    length = len(target.x)
    meet = round(when * (length - 1))
    maker = [lambda g: props.post(g, lamp=False), props.tree, props.bush][int(rng.integers(3))]
    row = float(target.row[max(meet - 15, 0) : meet + 16].max() + rng.uniform(6, 14))
    return moving(maker(rng), np.full(length, target.x[meet]), np.full(length, row))
