"""Targets of visible clips before other surroundings, so that a few dozen clips do not teach a few dozen places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from rgbt_tracker.training import photometric
from rgbt_tracker.training.crops import Image
from rgbt_tracker.training.pasted import window
from rgbt_tracker.training.pool import Shot

CAMERA = 25
"""Standard deviation of the surroundings' move between two shots, in crop px."""


def replaced(rng: np.random.Generator, shots: tuple[Shot, Shot], scene: Image) -> tuple[Shot, Shot]:
    """Put the targets of both shots before windows of one picture.

    Args:
        shots: those with only a visible image and a known silhouette change, others come back as they are.
        scene: HxWx3 uint8 BGR.
    """
    place = rng.uniform(0.3, 0.7, 2) * (scene.shape[1], scene.shape[0])
    zoom = float(np.exp(rng.uniform(-0.6, 0.1)))
    first, second = (_before(rng, shot, scene, place + rng.normal(0, CAMERA, 2), zoom) for shot in shots)
    return first, second


def _before(rng: np.random.Generator, shot: Shot, scene: Image, place: np.ndarray, zoom: float) -> Shot:
    if shot.mask is None or set(shot.images) != {"rgb"}:
        return shot
    share = shot.mask.astype(np.float32) / 255
    outer: Any = photometric.light(rng, window(scene, place, zoom * np.eye(2)))
    if outer.shape[:2] != share.shape:  # a set of crops of another size
        outer = cv2.resize(outer, share.shape[::-1])
    image: Any = cv2.blendLinear(shot.images["rgb"], outer, share, 1 - share)
    return replace(shot, images={"rgb": image})
