"""Fitting an object that was cut out of one picture to the light and the temperatures of another."""

from __future__ import annotations

import cv2
import numpy as np

from rgbt_tracker.training.views import Image

GAIN = (0.4, 2.5)
"""How far the contrast of an object may be changed."""
LIGHT = (0.4, 1.5)
"""How far its brightness may be."""
PARTIAL = 0.6
"""Part of the difference of brightness that is made up for (1: all of it)."""


def match_thermal(rng: np.random.Generator, image: Image, mask: Image, scene: Image) -> Image:
    """HxW thermal picture of an object, with its rim as warm as the scene and with the scene's contrast.

    What is warmer than its surroundings, those in the picture's corners, stays so.

    Args:
        mask: HxW, 255 on the object; its complement is the rim.
        scene: HxW around the place where the object will be.
    """
    rim = _mean(image, 255 - mask)
    gain = float(np.clip(scene.std() * rng.uniform(0.6, 1.1) / max(float(image.std()), 1.0), *GAIN))
    return graded(image, gain, float(scene.mean()) - gain * rim + rng.normal(0, 6))


def match_visible(rng: np.random.Generator, image: Image, mask: Image, scene: Image) -> Image:
    """HxWx3 visible picture of an object, with its brightness drawn towards the scene's."""
    rim, around = max(_mean(image, 255 - mask), 4.0), max(float(scene.mean()), 4.0)
    gain = (around / rim) ** PARTIAL * np.exp(rng.normal(0, 0.1))
    return graded(image, float(np.clip(gain, *LIGHT)))


def _mean(image: Image, where: Image) -> float:
    """Mean brightness where ``where`` is above one half of 255; of all where it nowhere is."""
    inside = (where > 127).astype(np.uint8)
    values = cv2.mean(image, inside if inside.any() else None)
    return float(np.mean(values[: 1 if image.ndim == 2 else 3]))


def graded(image: Image, gain: float = 1.0, offset: float = 0.0) -> Image:
    """``gain`` x grey level + ``offset``, cut off at 0 and 255."""
    levels = np.clip(gain * np.arange(256, dtype=np.float32) + offset, 0, 255).astype(np.uint8)
    return cv2.LUT(image, levels)  # type: ignore[return-value]
