"""What surrounds and hides targets: other objects in the search region, and things in front of the target."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from rgbt_tracker.training.crops import Image
from rgbt_tracker.training.geometry import Corners, Window
from rgbt_tracker.training.photometric import grey, is_grey
from rgbt_tracker.training.pool import Shot


def paste_distractor(
    rng: np.random.Generator, searches: list[Image], names: list[str], corners: Corners, shot: Shot
) -> list[Image]:
    """Paste the target of another shot into the search region, clear of the target at ``corners``.

    The same place in all modalities; nothing happens where the shot lacks a modality or there is no room.
    """
    side = searches[0].shape[0]
    x, y, w, h = shot.box
    scale = float(np.exp(rng.uniform(-0.35, 0.35)))
    size = np.array([w, h]) / scale
    place = _free_place(rng, corners, size, side)
    if place is None:
        return searches
    half = (side - 1) / 2
    window = Window(
        x + w / 2 - 0.5 - (place[0] - half) * scale, y + h / 2 - 0.5 - (place[1] - half) * scale, scale, scale, side
    )
    mask = _shape(shot, window, place, size)
    pasted = []
    for search, name in zip(searches, names, strict=True):
        image = shot.images.get(name)
        if image is None:
            image = next(iter(shot.images.values()))
            image = grey(image) if name == "ir" or (shot.mask is not None and is_grey(search)) else image
        pasted.append(cv2.blendLinear(search, window.cut(image), 1 - mask, mask))
    return pasted  # type: ignore[return-value]


def _shape(shot: Shot, window: Window, place: np.ndarray, size: np.ndarray) -> Any:
    """Share (0..1) of the other target in each pixel: its silhouette, or an ellipse where that is not known."""
    if shot.mask is not None:
        return window.cut(shot.mask).astype(np.float32) / 255
    mask: Any = np.zeros((window.size, window.size), np.float32)
    cv2.ellipse(mask, (place * 16).astype(int).tolist(), (size * 8).astype(int).tolist(), 0, 0, 360, 1.0, -1, 8, 4)
    return cv2.GaussianBlur(mask, (5, 5), 1.2)


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
