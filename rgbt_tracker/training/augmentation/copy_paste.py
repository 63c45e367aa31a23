"""Copy-paste of random shapes: cut out of one photograph, pasted into another, in both modalities.

Endless variety with exact boxes. A target is a smooth random shape filled with a region of a photograph. Its clip is
two moments: the same shape and texture, turned, scaled and lit differently, before windows of one other photograph.
The thermal view of a moment gives the target and its surroundings a temperature each, with the texture showing faintly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rgbt_tracker.training.augmentation import photometric
from rgbt_tracker.training.augmentation.background import CENTER, Background, centred_view
from rgbt_tracker.training.augmentation.pseudo_thermal import Temperatures, radiance, temperatures
from rgbt_tracker.training.geometry import CROP, context_scale
from rgbt_tracker.training.pictures import three_channels
from rgbt_tracker.training.views import Image, ReadImage, TargetView


def random_shape(rng: np.random.Generator) -> np.ndarray:
    """Corners (n, 2) of a smooth closed outline around 0: an ellipse with random low harmonics, about unit radius."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    radius = np.ones_like(angle)
    for harmonic in range(2, 6):
        radius += rng.normal(0, 0.22 / (harmonic - 1)) * np.cos(harmonic * angle + rng.uniform(0, 2 * np.pi))
    stretch = np.exp(rng.uniform(-0.9, 0.9) / 2)
    points = np.maximum(radius, 0.25)[:, None] * np.stack([np.cos(angle) * stretch, np.sin(angle) / stretch], -1)
    return points - (points.max(0) + points.min(0)) / 2


def random_motion(rng: np.random.Generator, turn: float) -> np.ndarray:
    """A small turn (radians, standard deviation) and change of size, as 2x2."""
    angle, grow = rng.normal(0, turn), np.exp(rng.normal(0, 0.06, 2))
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]]) * grow


def paste_shape(rng: np.random.Generator, photos: list[Path], read: ReadImage) -> tuple[TargetView, TargetView]:
    """Draw a target of random shape and two moments of it, from two of the photographs."""
    first, second = (int(i) for i in rng.choice(len(photos), 2, replace=False))
    texture = three_channels(read(photos[first]))
    shape = random_shape(rng)
    scale = context_scale(np.ptp(shape, axis=0))
    source = rng.uniform(0.25, 0.75, 2) * (texture.shape[1], texture.shape[0])
    detail = float(np.exp(rng.uniform(-0.4, 0.5)))  # texture pixels per crop pixel
    background = Background(rng, three_channels(read(photos[second])))
    levels = temperatures(rng)
    views = []
    for _ in range(2):
        motion = random_motion(rng, 0.12)
        outline = scale * shape @ motion.T
        middle = (outline.max(0) + outline.min(0)) / 2
        outline -= middle
        to_texture = detail * np.linalg.inv(motion)
        inner = centred_view(texture, source + to_texture @ middle, to_texture)
        views.append(_blended(rng, outline, inner, background.view(rng), levels))
    return views[0], views[1]


def _mask(outline: np.ndarray) -> np.ndarray:
    """Soft mask (CROP, CROP) float32 in [0, 1] of an outline around the centre."""
    mask = np.zeros((CROP, CROP), np.uint8)
    cv2.fillPoly(mask, [np.round((outline + CENTER) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask, (0, 0), 0.8).astype(np.float32) / 255


def _blended(
    rng: np.random.Generator, outline: np.ndarray, inner: Image, outer: Image, levels: Temperatures
) -> TargetView:
    """Blend target and background in both modalities."""
    mask = _mask(outline)
    around = 1 - mask
    visible: Any = cv2.blendLinear(photometric.brightness(rng, inner), outer, mask, around)
    target = radiance(inner, levels[0], rng.uniform(0.15, 0.5))
    surroundings = radiance(outer, levels[1], rng.uniform(0.2, 0.7))
    thermal: Any = cv2.GaussianBlur(cv2.blendLinear(target, surroundings, mask, around), (0, 0), 1.0)
    thermal = photometric.add_noise(rng, thermal, 2.0)
    low, size = outline.min(0) + CENTER + 0.5, np.ptp(outline, axis=0)
    box = (float(low[0]), float(low[1]), float(size[0]), float(size[1]))
    return TargetView({"rgb": visible, "ir": three_channels(thermal)}, box)
