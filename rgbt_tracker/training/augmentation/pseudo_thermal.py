"""Pseudo-thermal views: visible crops as a thermal camera might show them, and thermal ones in invented colours.

Where the target's silhouette is known, it and its surroundings get a temperature each; a picture's brightness still
shows faintly within a part. Temperatures are grey levels.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from rgbt_tracker.training.augmentation import photometric
from rgbt_tracker.training.pictures import three_channels
from rgbt_tracker.training.views import Image

Temperatures = tuple[float, float]
"""Grey levels of target and surroundings."""


def temperatures(rng: np.random.Generator) -> Temperatures:
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


def from_silhouette(rng: np.random.Generator, image: Image, mask: Image) -> Image:
    """A visible view HxWx3 and the target's mask HxW (0..255) as a thermal camera might show them.

    The same generator gives two moments of one target the same temperatures.
    """
    target, around = temperatures(rng)
    inner, outer, softness = rng.uniform(0.1, 0.5), rng.uniform(0.15, 0.7), rng.uniform(0.5, 1.8)
    share = mask.astype(np.float32) / 255
    radiated = radiance(image, target, inner, mask)
    thermal: Any = cv2.blendLinear(radiated, radiance(image, around, outer), share, 1 - share)
    thermal = cv2.GaussianBlur(thermal, (0, 0), softness)
    return three_channels(photometric.add_noise(rng, thermal, 2.0))


def tone_curve(rng: np.random.Generator, monotone: bool) -> np.ndarray:
    """A smooth random map of 256 grey levels: four to six random knots, joined linearly; sorted when ``monotone``."""
    count = int(rng.integers(4, 7))
    heights = rng.uniform(0, 255, count)
    if monotone:
        heights = np.sort(heights)
        heights = heights if rng.random() < 0.5 else heights[::-1]
    spread = np.ptp(heights)
    if spread < 80:  # keep some contrast
        heights = (heights - heights.mean()) * 80 / max(spread, 1) + heights.mean()
    levels = np.arange(256, dtype=np.float32)
    return np.clip(np.interp(levels, np.linspace(0, 255, count), heights), 0, 255).astype(np.uint8)


def from_tone_curve(rng: np.random.Generator, image: Image) -> Image:
    """A visible view HxWx3 as a thermal camera might show it, whatever is in it.

    One channel (a random mix of the three), smoothed, through a random tone curve that is monotone three times out
    of four (either polarity), with the low contrast and fixed-pattern noise of a microbolometer.
    """
    mix = rng.dirichlet(np.ones(3)).astype(np.float32)
    single = cv2.transform(image, mix[None])
    if rng.random() < 0.7:
        single = cv2.GaussianBlur(single, (0, 0), float(rng.uniform(0.5, 2.0)))
    single = cv2.LUT(single, tone_curve(rng, monotone=bool(rng.random() < 0.75)))
    if rng.random() < 0.4:
        stripes = rng.normal(0, rng.uniform(0.5, 3), single.shape[1])
        single = np.clip(single + stripes, 0, 255).astype(np.uint8)
    return three_channels(single)  # type: ignore[arg-type]


def pseudo_visible(rng: np.random.Generator, image: Image) -> Image:
    """A thermal view HxWx3 as a coloured picture: every channel through a random tone curve of its own."""
    single = image[..., :1]
    table = np.stack([tone_curve(rng, monotone=bool(rng.random() < 0.5)) for _ in range(3)], axis=-1)
    return cv2.LUT(np.repeat(single, 3, axis=-1), table.reshape(256, 1, 3))  # type: ignore[return-value]
