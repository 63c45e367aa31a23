"""Copy-paste of objects with their outlines as training clips: of photographs, or of pairs of two real cameras.

A clip is two moments. Either the object stays where it was photographed, or it is cut out and put before another
picture, with up to two other objects passing by. What has no thermal view is given a temperature (photographs: the
others mostly about the target's); what has one keeps it, matched to the scene (``matching.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rgbt_tracker.boxes import Box
from rgbt_tracker.training.augmentation import photometric
from rgbt_tracker.training.augmentation.background import CENTER, Background, centred_view
from rgbt_tracker.training.augmentation.copy_paste import random_motion
from rgbt_tracker.training.augmentation.matching import graded, match_thermal, match_visible
from rgbt_tracker.training.augmentation.pseudo_thermal import from_silhouette, radiance, temperatures
from rgbt_tracker.training.geometry import CROP, EXEMPLAR, context_scale
from rgbt_tracker.training.pictures import three_channels
from rgbt_tracker.training.views import Image, ReadImage, TargetView

IN_PLACE = 0.5
"""Share of the clips in which the object stays in its own photograph, if that shows enough of its surroundings."""
ROOMY = 0.5
"""Largest side of such an object, as a share of the photograph's."""
PASSING = (0.4, 0.35, 0.25)
"""Probabilities of 0, 1 and 2 other objects."""
IN_FRONT = 0.35
"""Share of the others that are nearer than the target."""
ALIKE = 0.7
"""Share of the others that are about as warm as the target."""
RIM = 4
"""What a tight crop gets around it, px of the sprite, so that its outline can be soft."""
ROUND = 3
"""Exponent of the superellipse that stands for the outline of a tight crop without a mask."""
SOFT = 0.12
"""Half the width of its soft edge, as a share of its half sides."""
GROUND = (0.45, 0.7)
"""Where in pairs of street scenes objects are, from the top (0) to the bottom (1)."""
TURN = (0.1, 0.04)
"""Standard deviation of an object's turn between two moments, radians: of photographs, of two real cameras."""
LIGHT = 0.12
"""Standard deviation of the logarithm of the light on the latter, from one moment to the other."""
DRIFT = 8.0
"""Standard deviation of an object's change of temperature between two moments, grey levels."""
FAINT = 0.12
"""How much of the target shows, at most, where a camera does not see it."""


@dataclass(frozen=True)
class Scene:
    """What objects are put before: a visible picture, and the thermal one of the same pixels where there is one."""

    visible: Path
    thermal: Path | None = None


@dataclass(frozen=True)
class SegmentedObject:
    """An object in a picture: ``mask`` is the file of its silhouette, ``box`` (x, y, w, h) its bounds in px.

    Attributes:
        roomy: the picture shows much more than the object.
        thermal: the thermal picture of the same pixels.
        length: longer side of the object when it was photographed, px, where the picture was resized since.

    Without ``box`` the object fills its picture, without ``mask`` it is a rectangle with round corners in it.
    """

    photo: Path
    mask: Path | None
    box: tuple[int, int, int, int] | None
    roomy: bool = False
    thermal: Path | None = None
    length: float = 0.0


@dataclass(frozen=True)
class Sprite:
    """An object at the size that a target has in a crop: pixels, mask (0..255) and centre in px of this picture.

    ``thermal`` (HxW) is None where only a visible view exists; ``level`` and ``contrast`` are then its radiation.
    """

    image: Image
    mask: Image
    centre: np.ndarray
    extent: np.ndarray
    thermal: Image | None = None
    level: float = 128.0
    contrast: float = 0.0


@dataclass(frozen=True)
class Layer:
    """An object in a crop: its pixels in both views (HxWx3 and HxW) and its mask (0..255)."""

    visible: Image
    thermal: Image
    mask: Image


def paste_object(
    rng: np.random.Generator, objects: list[SegmentedObject], photos: list[Path], read: ReadImage
) -> tuple[TargetView, TargetView]:
    """Draw an object of photographs and two moments of it."""
    target = objects[int(rng.integers(len(objects)))]
    if target.roomy and rng.random() < IN_PLACE:
        return in_place(rng, target, read)
    count = passers(rng)
    others = [objects[int(index)] for index in rng.integers(len(objects), size=count)]
    background = photos[int(rng.integers(len(photos)))]
    return in_front_of(rng, target, others, Scene(background), read)


def passers(rng: np.random.Generator) -> int:
    """How many others pass by."""
    return int(rng.choice(len(PASSING), p=PASSING))


def _sprite(item: SegmentedObject, read: ReadImage, size: float = 1.0) -> Sprite:
    """The object's picture, resampled so that the object has ``size`` times the size of a target."""
    image = three_channels(read(item.photo))
    tight = item.box is None
    x, y, w, h = item.box or (0, 0, image.shape[1], image.shape[0])
    scale = size * context_scale(np.array([w, h]))
    side = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    rim = RIM if tight else 0

    def resized(picture: Image, border: int = cv2.BORDER_REPLICATE) -> Image:
        small = cv2.resize(picture, side, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        return cv2.copyMakeBorder(small, rim, rim, rim, rim, border) if rim else small  # type: ignore[return-value]

    mask = read(item.mask) if item.mask is not None else None
    shape = resized(mask, cv2.BORDER_CONSTANT) if mask is not None and mask.any() else _rounded(side, rim)
    if tight:
        shape = cv2.GaussianBlur(shape, (0, 0), 0.8)  # type: ignore[assignment]
    centre = np.array([x + w / 2, y + h / 2]) * scale - 0.5 + rim
    thermal = resized(_single(read(item.thermal))) if item.thermal is not None else None
    return Sprite(resized(image), shape, centre, np.array([w, h]) * scale, thermal)


def _single(image: Image) -> Image:
    return image if image.ndim == 2 else image[..., 0]


def _rounded(side: tuple[int, int], rim: int) -> Image:
    """The mask of a superellipse as large as ``side`` (w, h), softly falling off into a rim."""
    x, y = (np.abs((np.arange(-rim, length + rim) + 0.5) / length * 2 - 1) ** ROUND for length in side)
    inside = 1 - (x[None] + y[:, None]) ** (1 / ROUND)
    return np.clip(128 + 128 * inside / SOFT, 0, 255).astype(np.uint8)


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
    rng: np.random.Generator,
    target: SegmentedObject,
    others: list[SegmentedObject],
    scene: Scene,
    read: ReadImage,
    blind: str | None = None,
) -> tuple[TargetView, TargetView]:
    """The object cut out and put before a scene, ``others`` passing by, some behind it and some in front.

    ``blind`` names the camera, "rgb" or "ir", that does not see the target when it is searched for; in half of the
    cases it did not see it in the template either.
    """
    own_level, around = temperatures(rng)
    outer_contrast = rng.uniform(0.2, 0.7)
    surroundings = _surroundings(rng, target, scene, read)
    softness = rng.uniform(0.5, 1.6)
    main = _sprite(target, read)
    rest = [_sprite(item, read, float(np.exp(rng.uniform(-0.5, 0.3)))) for item in others]
    ways = [_offset(rng, main.extent, passer.extent) for passer in rest]
    levels = [own_level + rng.normal(0, 12) if rng.random() < ALIKE else temperatures(rng)[0] for _ in others]
    in_front = rng.random(len(others)) < IN_FRONT
    outers = [_outer(surroundings.views(rng), around, outer_contrast) for _ in range(2)]
    sprites = [
        _matched(rng, replace(sprite, level=float(np.clip(level, 5, 250)), contrast=rng.uniform(0.1, 0.5)), outers[0])
        for sprite, level in zip([main, *rest], [own_level, *levels], strict=True)
    ]
    unseen = (blind if rng.random() < 0.5 else None, blind)
    faint = float(rng.uniform(0, FAINT))
    views = []
    for outer, without in zip(outers, unseen, strict=True):
        own = _layer(rng, sprites[0], np.zeros(2))
        passing = [
            _layer(rng, sprite, way + rng.normal(0, 12, 2)) for sprite, way in zip(sprites[1:], ways, strict=True)
        ]
        behind = [layer for layer, front in zip(passing, in_front, strict=True) if not front]
        front = [layer for layer, front in zip(passing, in_front, strict=True) if front]
        visible, thermal = outer
        for layer in [*behind, own, *front]:
            seen = {name: faint if layer is own and name == without else 1.0 for name in ("rgb", "ir")}
            visible = _blended(visible, layer.visible, layer.mask, seen["rgb"])
            thermal = _blended(thermal, layer.thermal, layer.mask, seen["ir"])
        if scene.thermal is None:
            thermal = cv2.GaussianBlur(thermal, (0, 0), softness)  # type: ignore[assignment]
        thermal = photometric.add_noise(rng, thermal, 2.0)
        images = {"rgb": visible, "ir": three_channels(thermal)}
        views.append(TargetView(images, _bounds(own.mask), own.mask, without))
    return views[0], views[1]


def _surroundings(rng: np.random.Generator, target: SegmentedObject, scene: Scene, read: ReadImage) -> Background:
    """The scene, at about the scale at which the target was photographed where this is known and there is room."""
    pictures = [three_channels(read(scene.visible))]
    if scene.thermal is not None:
        pictures.append(_single(read(scene.thermal)))
    if not target.length:
        return Background(rng, *pictures)
    least, most = 0.4, max(0.4, min(pictures[0].shape[:2]) / CROP)
    zoom = target.length / (EXEMPLAR / 2) * np.exp(rng.uniform(-0.2, 0.2))
    heights = (0.3, 0.7) if scene.thermal is None else GROUND
    return Background(rng, *pictures, zoom=float(np.clip(zoom, least, most)), heights=heights)


def _outer(pictures: list[Image], around: float, contrast: float) -> tuple[Image, Image]:
    """Visible (HxWx3) and thermal (HxW) view of the background; without a thermal one it has a temperature."""
    return pictures[0], pictures[1] if len(pictures) > 1 else radiance(pictures[0], around, contrast)


def _matched(rng: np.random.Generator, sprite: Sprite, outer: tuple[Image, Image]) -> Sprite:
    """An object with a thermal view of its own, fitted to the scene around the target; any other as it is."""
    if sprite.thermal is None:
        return sprite
    near = slice(int(CENTER - EXEMPLAR / 2), int(CENTER + EXEMPLAR / 2))
    visible = match_visible(rng, sprite.image, sprite.mask, outer[0][near, near])
    return replace(sprite, image=visible, thermal=match_thermal(rng, sprite.thermal, sprite.mask, outer[1][near, near]))


def _offset(rng: np.random.Generator, extent: np.ndarray, other: np.ndarray) -> np.ndarray:
    """From the target's centre to that of another object beside it: their boxes about touch, or stand apart."""
    angle = rng.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), 0.5 * np.sin(angle)])
    direction /= np.abs(direction).max()
    return direction * (extent + other) / 2 * rng.uniform(0.8, 2.0)


def _layer(rng: np.random.Generator, sprite: Sprite, offset: np.ndarray) -> Layer:
    """One moment of an object, ``offset`` px from the crop's centre."""
    linear = np.linalg.inv(random_motion(rng, TURN[sprite.thermal is not None]))
    centre = sprite.centre - linear @ offset
    mask = centred_view(sprite.mask, centre, linear, (0.0,))
    image = centred_view(sprite.image, centre, linear)
    if sprite.thermal is None:
        image = photometric.brightness(rng, image)
        return Layer(image, radiance(image, sprite.level, sprite.contrast, mask), mask)
    thermal = graded(centred_view(sprite.thermal, centre, linear), offset=rng.normal(0, DRIFT))
    return Layer(graded(image, gain=np.exp(rng.normal(0, LIGHT))), thermal, mask)


def _blended(under: Image, over: Image, mask: Image, strength: float) -> Image:
    share: Any = mask.astype(np.float32) * (strength / 255)
    return cv2.blendLinear(over, under, share, 1 - share)  # type: ignore[return-value]
