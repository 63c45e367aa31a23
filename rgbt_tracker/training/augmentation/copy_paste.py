"""Targets cut out of one photograph and pasted into others: endless variety with exact boxes, both modalities.

A target is a smooth random shape filled with a region of a photograph. Its clip is two moments: the same shape and
texture, turned, scaled and lit differently, before windows of one other photograph. The thermal view of a moment
gives the target and its surroundings a temperature each, with the texture showing faintly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.augmentation import photometric
from rgbt_tracker.training.augmentation.pseudo_thermal import Heat, radiance, temperatures
from rgbt_tracker.training.data.clips import Box, Image, ImageCache
from rgbt_tracker.training.data.photos import photo_files

SIDE = 383
EXEMPLAR = 127
CENTER = (SIDE - 1) / 2


CAMERA = 25
"""Standard deviation of the surroundings' move between two moments, in crop px."""


@dataclass(frozen=True)
class View:
    """One moment of a pasted target: images SIDE x SIDE x 3 by modality, and the edge box (x, y, w, h).

    ``mask`` is the target's silhouette (SIDE, SIDE) uint8, where it is known.
    """

    images: dict[str, Image]
    box: Box
    mask: Image | None = None


class Surroundings:
    """A part of a picture (HxWx3 uint8 BGR) as a camera shows it that moves a little between two moments."""

    def __init__(self, rng: np.random.Generator, picture: Image) -> None:
        self._picture = picture
        self._place = rng.uniform(0.3, 0.7, 2) * (picture.shape[1], picture.shape[0])
        self._zoom = float(np.exp(rng.uniform(-0.6, 0.1)))

    def view(self, rng: np.random.Generator) -> Image:
        """One moment, SIDE x SIDE x 3."""
        return window(self._picture, self._place + rng.normal(0, CAMERA, 2), self._zoom * np.eye(2))


def list_photos(folder: Path) -> list[Path]:
    """Photographs of a folder, sorted.

    Raises:
        UserError: fewer than two, since target and background come from different ones.
    """
    photos = photo_files(folder)
    if len(photos) < 2:
        raise UserError(f"Expected two or more photographs in '{folder}', found {len(photos)}.")
    return photos


def random_shape(rng: np.random.Generator) -> np.ndarray:
    """Corners (n, 2) of a smooth closed outline around 0: an ellipse with random low harmonics, about unit radius."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    radius = np.ones_like(angle)
    for harmonic in range(2, 6):
        radius += rng.normal(0, 0.22 / (harmonic - 1)) * np.cos(harmonic * angle + rng.uniform(0, 2 * np.pi))
    stretch = np.exp(rng.uniform(-0.9, 0.9) / 2)
    points = np.maximum(radius, 0.25)[:, None] * np.stack([np.cos(angle) * stretch, np.sin(angle) / stretch], -1)
    return points - (points.max(0) + points.min(0)) / 2


def paste(rng: np.random.Generator, photos: list[Path], cache: ImageCache) -> tuple[View, View]:
    """Draw a target and two moments of it."""
    first, second = (int(i) for i in rng.choice(len(photos), 2, replace=False))
    texture = photometric.three_channels(cache.read(photos[first]))
    shape = random_shape(rng)
    scale = context_scale(np.ptp(shape, axis=0))
    source = rng.uniform(0.25, 0.75, 2) * (texture.shape[1], texture.shape[0])
    detail = float(np.exp(rng.uniform(-0.4, 0.5)))  # texture pixels per crop pixel
    background = Surroundings(rng, photometric.three_channels(cache.read(photos[second])))
    heat = temperatures(rng)
    views = []
    for _ in range(2):
        turn, grow = rng.normal(0, 0.12), np.exp(rng.normal(0, 0.06, 2))
        c, s = np.cos(turn), np.sin(turn)
        motion = np.array([[c, -s], [s, c]]) * grow
        outline = scale * shape @ motion.T
        middle = (outline.max(0) + outline.min(0)) / 2
        outline -= middle
        mask = _mask(outline)
        to_texture = detail * np.linalg.inv(motion)
        inner = window(texture, source + to_texture @ middle, to_texture)
        outer = background.view(rng)
        views.append(_view(rng, outline, mask, inner, outer, heat))
    return views[0], views[1]


def context_scale(extent: np.ndarray) -> float:
    """Factor that gives the shape the size a target has in a crop: sqrt((w + p)(h + p)) = 127, p = (w + h) / 2."""
    w, h = extent
    p = (w + h) / 2
    return float(EXEMPLAR / np.sqrt((w + p) * (h + p)))


def _mask(outline: np.ndarray) -> np.ndarray:
    """Soft mask (SIDE, SIDE) float32 in [0, 1] of an outline around the centre."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [np.round((outline + CENTER) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask, (0, 0), 0.8).astype(np.float32) / 255


def window(image: Image, center: np.ndarray, linear: np.ndarray, fill: Sequence[float] | None = None) -> Image:
    """SIDE x SIDE view of the image: crop pixel offsets from the centre, times ``linear``, are image offsets.

    Outside the image is its mirror image, or ``fill``.
    """
    offset = center - linear @ np.array([CENTER, CENTER])
    matrix = np.concatenate([linear, offset[:, None]], axis=1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REFLECT_101 if fill is None else cv2.BORDER_CONSTANT
    return cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=flags, borderMode=border, borderValue=fill or ())  # type: ignore[return-value]


def _view(
    rng: np.random.Generator,
    outline: np.ndarray,
    mask: np.ndarray,
    inner: Image,
    outer: Image,
    heat: Heat,
) -> View:
    """Blend target and background in both modalities."""
    around = 1 - mask
    visible: Any = cv2.blendLinear(photometric.light(rng, inner), outer, mask, around)
    warm = radiance(inner, heat[0], rng.uniform(0.15, 0.5))
    cold = radiance(outer, heat[1], rng.uniform(0.2, 0.7))
    thermal: Any = cv2.GaussianBlur(cv2.blendLinear(warm, cold, mask, around), (0, 0), 1.0)
    thermal = photometric.add_noise(rng, thermal, 2.0)
    low, size = outline.min(0) + CENTER + 0.5, np.ptp(outline, axis=0)
    box = (float(low[0]), float(low[1]), float(size[0]), float(size[1]))
    return View({"rgb": visible, "ir": photometric.three_channels(thermal)}, box)
