"""Rendering a scene: its actors, the camera, and both pictures of any moment."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.synthetic import actors, motion, people, weather
from rgbt_tracker.synthetic.actors import Actor
from rgbt_tracker.synthetic.noise import Picture
from rgbt_tracker.synthetic.panorama import Place, pixels_per_metre
from rgbt_tracker.synthetic.places import PLACES
from rgbt_tracker.synthetic.scenes import EVENTS, Scene
from rgbt_tracker.synthetic.sprites import cast_shadow, paste, warp

OPAQUE = 128  # a pixel belongs to an object if its opacity is at least this
BLACK = 0.3  # a camera is black while the envelope of that event is above this
Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Instant:
    """What both pictures of a frame are drawn from: its number, who is drawn (the farthest first), and the weather.

    ``level`` is the strength of every kind of event, ``rng`` for noise.
    """

    index: int
    order: list[Actor]
    level: dict[str, float]
    rng: np.random.Generator


class Renderer:
    """A scene drawn with a seed; a picture depends on scene, seed, length, size and index only.

    Attributes:
        scene, seed, size: what was asked for.
        place: the background, drawn for the scene unless given.
        target: the actor to follow; actors: everybody, the target first.
        levels: strength of every kind of event per frame.
    """

    def __init__(self, scene: Scene, length: int, size: tuple[int, int], seed: int, place: Place | None = None) -> None:
        self.scene, self.seed, self.size = scene, seed, size
        streams = [np.random.default_rng((seed, number, *scene.name.encode())) for number in range(6)]
        names = list(PLACES)
        chosen = scene.place if scene.place in PLACES else names[int(streams[0].integers(len(names)))]
        self.place = place or PLACES[chosen](streams[0])
        self._choose_actors(streams[1], length)
        self.levels = _levels(scene, length)
        tall = np.array([1.7 * pixels_per_metre(value) for value in self.target.row])
        self.camera = motion.follow(streams[2], self.target.x, self.target.row, tall, self.levels["shake"], scene.zoom)
        self.alignment = _alignment(streams[3], scene.misaligned, size)
        self.smoke = weather.Smoke(streams[4])
        # The sun stands beside and above the target.
        side, above = streams[5].choice([-1, 1]) * streams[5].uniform(0.05, 0.12), streams[5].uniform(0.06, 0.13)
        self.sun_offset = np.array([side, -above]) * size[0]

    def _choose_actors(self, rng: np.random.Generator, length: int) -> None:
        """Choose target, crossers, passers-by and occluders."""
        scene, place = self.scene, self.place
        kind = scene.target[int(rng.integers(len(scene.target)))]
        look = people.Look.random(rng)
        sprite = people.pedestrian(rng, look) if kind == "person" else actors.draw_sprite(kind, rng)
        self.target = actors.target(rng, sprite, place, length, scene.depth, scene.turns)
        self.actors = [self.target]
        moments = (np.arange(len(scene.crossers)) + rng.uniform(0.3, 0.8)) / max(len(scene.crossers), 1)
        for number, (other, when) in enumerate(zip(scene.crossers, moments, strict=True)):
            alike = number < scene.lookalikes and other == "person" and kind == "person"
            sprite = people.pedestrian(rng, look.lookalike(rng)) if alike else actors.draw_sprite(other, rng)
            nearer = number % 3 == 2
            self.actors.append(actors.crosser(rng, sprite, self.target, place, float(when), nearer))
        for other in scene.passers_by:
            self.actors.append(actors.passer_by(rng, actors.draw_sprite(other, rng), place, length))
        for number in range(scene.occluders):
            self.actors.append(actors.occluder(rng, self.target, (number + 0.6) / (scene.occluders + 0.2)))

    def resize(self, factor: float) -> None:
        """Make everybody larger or smaller."""
        self.actors = [replace(actor, size=actor.size * factor) for actor in self.actors]
        self.target = self.actors[0]

    def _matrix(self, actor: Actor, index: int, view: Array) -> Array:
        return (view @ np.vstack([actor.matrix(index), [0, 0, 1]]))[:2]

    def mask(self, index: int, actor: Actor | None = None) -> Picture:
        """An actor's (the target's) silhouette in the visible picture, hidden parts included: HxW uint8, 0 or 255."""
        actor = actor or self.target
        mask = np.zeros(self.size[::-1], np.uint8)
        drawn = warp(
            actor.pose(index).colour, self._matrix(actor, index, self.camera.matrix(index, self.size)), *self.size
        )
        if drawn is not None:
            patch, left, top = drawn
            mask[top : top + patch.shape[0], left : left + patch.shape[1]] = np.where(patch[..., 3] >= OPAQUE, 255, 0)
        return mask

    def pictures(self, index: int) -> tuple[Picture, Picture]:
        """Draw a moment: HxWx3 BGR and HxW thermal, uint8."""
        instant = _Instant(
            index,
            sorted(self.actors, key=lambda actor: actor.row[index]),
            {kind: float(values[index]) for kind, values in self.levels.items()},
            np.random.default_rng((self.seed, index)),
        )
        view = self.camera.matrix(index, self.size)
        return self._visible(instant, view), self._thermal(instant, self.alignment @ view)

    def _seen(self, panorama: Picture, view: Array) -> Picture:
        """The part of a panorama that a camera sees."""
        return np.asarray(cv2.warpAffine(panorama, view[:2], self.size, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    def _visible(self, instant: _Instant, view: Array) -> Picture:
        index, level = instant.index, instant.level
        image = self._seen(self.place.bgr, view)
        strength = 0.45 * (1 - level["dark"])
        for actor in instant.order:
            matrix, pose = self._matrix(actor, index, view), actor.pose(index)
            if strength > 0.05:
                foot = view @ (actor.x[index], actor.row[index], 1)
                cast_shadow(image, pose, matrix, float(foot[1]), self.place.sun, strength)
            drawn = warp(pose.colour, matrix, *self.size)
            if drawn is not None:
                paste(image, *drawn)
        middle = self._target_middle(index)
        if level["dark"] > 0:
            image = weather.darken(image, self._seen(self.place.light, view), level["dark"])
        if level["smoke"] > 0.01:
            image = self.smoke.veil(image, self.smoke.density(index, level["smoke"], middle, self.size), 205, index)
        if level["glare"] > 0:
            sun = (middle[0] + self.sun_offset[0], middle[1] + self.sun_offset[1])
            image = weather.glare(image, sun, min(level["glare"], 1.0))
        if level["shake"] > 0.2:
            image = self._motion_blur(image, index)
        if level["rgb_black"] > BLACK:
            return np.zeros_like(image)
        return weather.add_noise(image, instant.rng, 1.6 + 5.5 * level["dark"])

    def _thermal(self, instant: _Instant, view: Array) -> Picture:
        index, level = instant.index, instant.level
        image = self._seen(self.place.ir, view)
        seen = 1 - 0.97 * min(level["crossover"], 1.0)
        for actor in instant.order:
            drawn = warp(actor.pose(index).heat, self._matrix(actor, index, view), *self.size)
            if drawn is not None:
                patch, left, top = drawn
                # As warm as what is behind it: the same as letting it shine through.
                paste(image, patch if seen > 0.99 else cv2.convertScaleAbs(patch, alpha=seen), left, top)
        if level["smoke"] > 0.01:
            density = self.smoke.density(index, level["smoke"], self._target_middle(index), self.size)
            image = self.smoke.veil(image, 0.16 * density, 120, index)
        if level["ir_black"] > BLACK:
            return np.zeros_like(image)
        image = cv2.GaussianBlur(image, (5, 5), 0.9)
        return weather.add_noise(image, instant.rng, 2.4 + 3.0 * level["crossover"])

    def _target_middle(self, index: int) -> tuple[float, float]:
        view = self.camera.matrix(index, self.size)
        tall = 0.8 * pixels_per_metre(self.target.row[index])
        point = view @ (self.target.x[index], self.target.row[index] - tall, 1)
        return float(point[0]), float(point[1])

    def _motion_blur(self, image: Picture, index: int) -> Picture:
        """Blur along the camera's movement, half a frame long."""
        before = max(index - 1, 0)
        scale = self.size[0] / motion.BASE[0] * self.camera.zoom[index] * 0.5
        across = int(abs(self.camera.x[index] - self.camera.x[before]) * scale)
        down = int(abs(self.camera.y[index] - self.camera.y[before]) * scale)
        return image if max(across, down) < 2 else cv2.blur(image, (across | 1, down | 1))


def _levels(scene: Scene, length: int) -> dict[str, Array]:
    """Strength of every kind of event per frame; overlapping events of a kind add up to the stronger one."""
    levels = {kind: np.zeros(length) for kind in EVENTS}
    for event in scene.events:
        levels[event.kind] = np.maximum(
            levels[event.kind], event.strength * motion.envelope(length, event.start, event.stop)
        )
    levels["shake"] = np.maximum(levels["shake"], scene.shake)
    return levels


def _alignment(rng: np.random.Generator, strength: float, size: tuple[int, int]) -> Array:
    """3x3 matrix from visible to thermal pixels: shift, small roll and scale about the middle."""
    if strength <= 0:
        return np.eye(3)
    shift = rng.choice([-1, 1], 2) * rng.uniform(0.6, 1.2, 2) * strength * size[0] / 100
    roll, scale = np.radians(rng.uniform(-1, 1)) * strength, 1 + rng.uniform(-0.02, 0.02) * strength
    linear = scale * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    middle = (np.array(size) - 1) / 2
    return np.vstack([np.column_stack([linear, middle + shift - linear @ middle]), [0, 0, 1]])
