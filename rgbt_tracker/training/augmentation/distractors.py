"""What surrounds and hides targets: other objects in the search region, and things in front of the target."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from rgbt_tracker.training.augmentation.photometric import grey, is_grey
from rgbt_tracker.training.geometry import Corners, Window
from rgbt_tracker.training.views import Image, TargetView

HIDDEN = (0.1, 0.65)
"""Share of the target's box that one who crosses its way hides."""
SAME_TEMPERATURE = 0.6
"""Share of those who cross, in pseudo-thermal views, that are about as warm as the target."""


def paste_distractor(
    rng: np.random.Generator,
    searches: list[Image],
    names: list[str],
    corners: Corners,
    other: TargetView,
    crossing: bool = False,
) -> list[Image]:
    """Paste another target into the search region, clear of the target at ``corners`` or ``crossing`` it.

    One who crosses is about as large as the target and hides a part of it. The same place in all modalities; nothing
    happens where there is no room.
    """
    side = searches[0].shape[0]
    x, y, w, h = other.box
    scale = float(np.exp(rng.uniform(-0.35, 0.35)))
    if crossing:
        area = float(np.prod(corners[2:] - corners[:2]))
        scale *= (w * h / max(area, 1.0)) ** 0.5
    size = np.array([w, h]) / scale
    place = (_crossing_place if crossing else _free_place)(rng, corners, size, side)
    if place is None:
        return searches
    alike = crossing and rng.random() < SAME_TEMPERATURE
    half = (side - 1) / 2
    window = Window(
        x + w / 2 - 0.5 - (place[0] - half) * scale, y + h / 2 - 0.5 - (place[1] - half) * scale, scale, scale, side
    )
    mask = _shape(other, window, place, size)
    pasted = []
    for search, name in zip(searches, names, strict=True):
        image = other.images.get(name)
        if image is None:
            image = next(iter(other.images.values()))
            if name == "ir" or (other.mask is not None and is_grey(search)):
                image = grey(image)
                if alike and other.mask is not None:
                    image = _at_temperature(rng, image, search, corners)
        pasted.append(cv2.blendLinear(search, window.cut(image), 1 - mask, mask))
    return pasted  # type: ignore[return-value]


def _shape(other: TargetView, window: Window, place: np.ndarray, size: np.ndarray) -> Any:
    """Share (0..1) of the other target in each pixel: its silhouette, or an ellipse where that is not known."""
    if other.mask is not None:
        return window.cut(other.mask).astype(np.float32) / 255
    mask: Any = np.zeros((window.size, window.size), np.float32)
    cv2.ellipse(mask, (place * 16).astype(int).tolist(), (size * 8).astype(int).tolist(), 0, 0, 360, 1.0, -1, 8, 4)
    return cv2.GaussianBlur(mask, (5, 5), 1.2)


def _at_temperature(rng: np.random.Generator, image: Image, search: Image, corners: Corners) -> Image:
    """A grey picture with the target's mean level in ``search``, give or take, and little contrast of its own."""
    center, extent = (corners[:2] + corners[2:]) / 2, corners[2:] - corners[:2]
    x1, y1 = np.maximum(center - extent / 4, 0).astype(int)
    x2, y2 = np.ceil(center + extent / 4).astype(int) + 1
    inside = search[y1:y2, x1:x2]
    level = float(inside.mean()) if inside.size else 128.0
    faint = 0.3 * (image.astype(np.float32) - float(image.mean()))
    return np.clip(faint + level + rng.normal(0, 12), 0, 255).astype(np.uint8)


def _crossing_place(rng: np.random.Generator, corners: Corners, size: np.ndarray, side: int) -> np.ndarray | None:
    """A centre, beside the target more than above it, at which a box of ``size`` hides a part of the target."""
    center, extent = (corners[:2] + corners[2:]) / 2, corners[2:] - corners[:2]
    for _ in range(10):
        away = rng.uniform(-0.5, 0.5, 2) * (size + extent) * (1, 0.5)
        hidden = np.clip(np.minimum(0.5 * (size + extent) - np.abs(away), np.minimum(size, extent)), 0, None) / extent
        if HIDDEN[0] < hidden.prod() < HIDDEN[1]:
            return center + away
    return None


def _free_place(rng: np.random.Generator, corners: Corners, size: np.ndarray, side: int) -> np.ndarray | None:
    """A centre at which a box of ``size`` does not touch the target; None when ten tries find none."""
    center, extent = (corners[:2] + corners[2:]) / 2, corners[2:] - corners[:2]
    for _ in range(10):
        place = rng.uniform(0.05, 0.95, 2) * side
        if (np.abs(place - center) > 0.5 * (size + extent)).any():
            return place
    return None


def occlude(rng: np.random.Generator, searches: list[Image], corners: Corners) -> list[Image]:
    """Hide up to about half of the target behind a piece of the surroundings, at one place in all modalities."""
    side = searches[0].shape[0]
    extent = corners[2:] - corners[:2]
    size = extent * rng.uniform(0.25, 0.7, 2)
    low = corners[:2] + rng.uniform(-0.25, 0.9, 2) * (extent - 0.5 * size)
    x1, y1 = np.clip(low, 0, side - 2).astype(int)
    x2, y2 = np.clip(low + size, 0, side - 1).astype(int)
    if x2 - x1 < 2 or y2 - y1 < 2 or x2 - x1 >= side - 2 or y2 - y1 >= side - 2:
        return searches
    fx, fy = int(rng.integers(0, side - (x2 - x1))), int(rng.integers(0, side - (y2 - y1)))
    hidden = []
    for search in searches:
        copy = search.copy()
        copy[y1:y2, x1:x2] = search[fy : fy + y2 - y1, fx : fx + x2 - x1]
        hidden.append(copy)
    return hidden
