"""Thermal views made from visible ones where the target's silhouette is known: a temperature for each part.

Temperatures are grey levels; a picture's brightness still shows faintly within a part.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from rgbt_tracker.training.augmentation import photometric
from rgbt_tracker.training.data.clips import Image

Heat = tuple[float, float]


def temperatures(rng: np.random.Generator) -> Heat:
    """Grey levels of target and surroundings, at least 25 apart."""
    around = rng.uniform(40, 190)
    gap = rng.uniform(25, 110) * (1 if rng.random() < 0.75 else -1)
    target = around + gap
    return (float(target) if 10 <= target <= 250 else float(around - gap)), float(around)


def radiance(image: Image, level: float, contrast: float, mask: Image | None = None) -> Image:
    """HxWx3 -> HxW around ``level``, the brightness showing with ``contrast``.

    The mean brightness is that within ``mask`` (HxW, above one half of 255), of the whole picture where it is empty.
    """
    single = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    inside = None if mask is None else (mask > 127).astype(np.uint8)
    mean = cv2.mean(single, inside if inside is not None and inside.any() else None)[0]
    return cv2.convertScaleAbs(single, alpha=contrast, beta=max(0.0, level - contrast * mean))  # type: ignore[return-value]


def silhouette_view(rng: np.random.Generator, image: Image, mask: Image) -> Image:
    """A visible view HxWx3 and the target's mask HxW (0..255) as a thermal camera might show them.

    The same generator gives two moments of one target the same temperatures.
    """
    target, around = temperatures(rng)
    inner, outer, softness = rng.uniform(0.1, 0.5), rng.uniform(0.15, 0.7), rng.uniform(0.5, 1.8)
    share = mask.astype(np.float32) / 255
    warm = radiance(image, target, inner, mask)
    thermal: Any = cv2.blendLinear(warm, radiance(image, around, outer), share, 1 - share)
    thermal = cv2.GaussianBlur(thermal, (0, 0), softness)
    return photometric.three_channels(photometric.add_noise(rng, thermal, 2.0))
