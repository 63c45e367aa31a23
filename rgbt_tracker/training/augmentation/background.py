"""Targets of visible clips before other surroundings, so that a few dozen clips do not teach a few dozen places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from rgbt_tracker.training.augmentation import photometric
from rgbt_tracker.training.augmentation.copy_paste import Surroundings
from rgbt_tracker.training.data.clips import Image
from rgbt_tracker.training.data.pool import Shot


def replaced(rng: np.random.Generator, shots: tuple[Shot, Shot], scene: Image) -> tuple[Shot, Shot]:
    """Put the targets of both shots before one picture.

    Args:
        shots: those with only a visible image and a known silhouette change, others come back as they are.
        scene: HxWx3 uint8 BGR.
    """
    surroundings = Surroundings(rng, scene)
    first, second = (_before(rng, shot, surroundings.view(rng)) for shot in shots)
    return first, second


def _before(rng: np.random.Generator, shot: Shot, outer: Any) -> Shot:
    if shot.mask is None or set(shot.images) != {"rgb"}:
        return shot
    share = shot.mask.astype(np.float32) / 255
    outer = photometric.light(rng, outer)
    if outer.shape[:2] != share.shape:  # a set of crops of another size
        outer = cv2.resize(outer, share.shape[::-1])
    image: Any = cv2.blendLinear(shot.images["rgb"], outer, share, 1 - share)
    return replace(shot, images={"rgb": image})
