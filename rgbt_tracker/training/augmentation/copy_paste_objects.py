"""Copy-paste of objects with their real outlines, segmented in photographs (`rgbt data masks`), as training clips.

A clip is two moments. Either the object stays where it was photographed, or it is cut out and put before another
photograph, with up to two other objects passing by, which in the thermal view are mostly about as warm as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rgbt_tracker.boxes import Box
from rgbt_tracker.training.augmentation import photometric
from rgbt_tracker.training.augmentation.background import Background, centred_view
from rgbt_tracker.training.augmentation.copy_paste import random_motion
from rgbt_tracker.training.augmentation.pseudo_thermal import from_silhouette, radiance, temperatures
from rgbt_tracker.training.geometry import context_scale
from rgbt_tracker.training.pictures import three_channels
from rgbt_tracker.training.views import Image, ReadImage, TargetView

IN_PLACE = 0.5
"""Share of the clips in which the object stays in its own photograph, if that shows enough of its surroundings."""
ROOMY = 0.5
"""Largest side of such an object, as a share of the photograph's."""
PASSING = (0.4, 0.35, 0.25)
"""Probabilities of 0, 1 and 2 other objects."""
ALIKE = 0.7
"""Share of the others that are about as warm as the target."""


@dataclass(frozen=True)
class SegmentedObject:
    """An object in a photograph: ``mask`` is the file of its silhouette, ``box`` (x, y, w, h) its bounds in px.

    ``roomy``: the photograph shows much more than the object.
    """

    photo: Path
    mask: Path
    box: tuple[int, int, int, int]
    roomy: bool


@dataclass(frozen=True)
class Sprite:
    """An object at the size that a target has in a crop: pixels, mask (0..255) and centre in px of this picture."""

    image: Image
    mask: Image
    centre: np.ndarray
    extent: np.ndarray


@dataclass(frozen=True)
class Layer:
    """An object in a crop: its pixels, its mask (0..255) and how it looks to a thermal camera."""

    image: Image
    mask: Image
    level: float
    contrast: float


def paste_object(
    rng: np.random.Generator, objects: list[SegmentedObject], photos: list[Path], read: ReadImage
) -> tuple[TargetView, TargetView]:
    """Draw an object and two moments of it."""
    target = objects[int(rng.integers(len(objects)))]
    if target.roomy and rng.random() < IN_PLACE:
        return in_place(rng, target, read)
    count = int(rng.choice(len(PASSING), p=PASSING))
    others = [objects[int(index)] for index in rng.integers(len(objects), size=count)]
    background = photos[int(rng.integers(len(photos)))]
    return in_front_of(rng, target, others, background, read)


def _sprite(item: SegmentedObject, read: ReadImage, size: float = 1.0) -> Sprite:
    """The object's photograph, resampled so that the object has ``size`` times the size of a target."""
    x, y, w, h = item.box
    scale = size * context_scale(np.array([w, h]))
    image, mask = three_channels(read(item.photo)), read(item.mask)
    side = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small, shape = cv2.resize(image, side, interpolation=way), cv2.resize(mask, side, interpolation=way)
    centre = np.array([x + w / 2, y + h / 2]) * scale - 0.5
    return Sprite(small, shape, centre, np.array([w, h]) * scale)  # type: ignore[arg-type]


def _bounds(mask: Image) -> Box:
    x, y, w, h = cv2.boundingRect((mask > 127).astype(np.uint8))
    return float(x), float(y), float(w), float(h)


def in_place(rng: np.random.Generator, target: SegmentedObject, read: ReadImage) -> tuple[TargetView, TargetView]:
    """The object in its own surroundings, moved with them."""
    sprite = _sprite(target, read)
    seed = int(rng.integers(1 << 62))
    views = []
    for _ in range(2):
        linear = np.linalg.inv(random_motion(rng, 0.04))
        centre = sprite.centre + rng.normal(0, 2, 2)
        image = centred_view(sprite.image, centre, linear, cv2.mean(sprite.image))
        mask = centred_view(sprite.mask, centre, linear, (0.0,))
        thermal = from_silhouette(np.random.default_rng(seed), image, mask)
        views.append(TargetView({"rgb": image, "ir": thermal}, _bounds(mask), mask))
    return views[0], views[1]


def in_front_of(
    rng: np.random.Generator, target: SegmentedObject, others: list[SegmentedObject], background: Path, read: ReadImage
) -> tuple[TargetView, TargetView]:
    """The object cut out and put before ``background``, ``others`` passing by, some behind it and some in front."""
    own_level, around = temperatures(rng)
    surroundings = Background(rng, three_channels(read(background)))
    softness = rng.uniform(0.5, 1.6)
    main = _sprite(target, read)
    passers = [_sprite(item, read, float(np.exp(rng.uniform(-0.5, 0.3)))) for item in others]
    ways = [_offset(rng, main.extent, passer.extent) for passer in passers]
    levels = [own_level + rng.normal(0, 12) if rng.random() < ALIKE else temperatures(rng)[0] for _ in others]
    contrasts = rng.uniform(0.1, 0.5, len(others) + 1)
    in_front = rng.random(len(others)) < 0.35
    outer_contrast = rng.uniform(0.2, 0.7)
    views = []
    for _ in range(2):
        own = _layer(rng, main, np.zeros(2), own_level, contrasts[0])
        rest = [
            _layer(rng, passer, way + rng.normal(0, 12, 2), level, contrast)
            for passer, way, level, contrast in zip(passers, ways, levels, contrasts[1:], strict=True)
        ]
        behind = [layer for layer, front in zip(rest, in_front, strict=True) if not front]
        front = [layer for layer, front in zip(rest, in_front, strict=True) if front]
        outer = surroundings.view(rng)
        visible, thermal = _composed(outer, around, outer_contrast, [*behind, own, *front])
        thermal = photometric.add_noise(rng, cv2.GaussianBlur(thermal, (0, 0), softness), 2.0)  # type: ignore[arg-type]
        views.append(TargetView({"rgb": visible, "ir": three_channels(thermal)}, _bounds(own.mask), own.mask))
    return views[0], views[1]


def _offset(rng: np.random.Generator, extent: np.ndarray, other: np.ndarray) -> np.ndarray:
    """From the target's centre to that of another object beside it: their boxes about touch, or stand apart."""
    angle = rng.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), 0.5 * np.sin(angle)])
    direction /= np.abs(direction).max()
    return direction * (extent + other) / 2 * rng.uniform(0.8, 2.0)


def _layer(rng: np.random.Generator, sprite: Sprite, offset: np.ndarray, level: float, contrast: float) -> Layer:
    """One moment of an object, ``offset`` px from the crop's centre."""
    linear = np.linalg.inv(random_motion(rng, 0.1))
    centre = sprite.centre - linear @ offset
    mask = centred_view(sprite.mask, centre, linear, (0.0,))
    image = photometric.brightness(rng, centred_view(sprite.image, centre, linear))
    return Layer(image, mask, float(np.clip(level, 5, 250)), float(contrast))


def _composed(outer: Image, around: float, contrast: float, layers: list[Layer]) -> tuple[Image, Image]:
    """Visible and thermal picture of the background with the layers on it, the first one deepest."""
    visible: Any = outer
    thermal: Any = radiance(outer, around, contrast)
    for layer in layers:
        share = layer.mask.astype(np.float32) / 255
        radiated = radiance(layer.image, layer.level, layer.contrast, layer.mask)
        visible = cv2.blendLinear(layer.image, visible, share, 1 - share)
        thermal = cv2.blendLinear(radiated, thermal, share, 1 - share)
    return visible, thermal
