"""Corruptions of one modality of a training pair, so that fusion can learn which one to trust.

Every function takes HxWx3 uint8 BGR, a strength in (0, 1] and a random generator, and returns the corrupted copy.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from rgbt_tracker.training.augmentation.photometric import add_noise
from rgbt_tracker.training.pictures import three_channels
from rgbt_tracker.training.views import Image

Corruption = Callable[[np.random.Generator, Image, float], Image]


def cloud(rng: np.random.Generator, side: int, detail: int = 5) -> np.ndarray:
    """A smooth random field in [0, 1], (side, side) float32: octaves of upscaled noise."""
    field = np.zeros((side, side), np.float32)
    for octave in range(1, detail):
        coarse = rng.random((2**octave + 1, 2**octave + 1), dtype=np.float32)
        field += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC) / 2 ** (octave - 1)
    low, high = float(field.min()), float(field.max())
    return (field - low) / max(high - low, 1e-6)


def _blend(image: Image, colour: tuple[float, ...] | np.ndarray, alpha: np.ndarray) -> Image:
    """image (1 - alpha) + colour alpha; colour is an image or three numbers, alpha HxW."""
    alpha = alpha.astype(np.float32)
    veil = np.empty_like(image)
    veil[:] = np.clip(colour, 0, 255).astype(np.uint8)
    return cv2.blendLinear(image, veil, 1 - alpha, alpha)  # type: ignore[return-value]


def smoke(rng: np.random.Generator, image: Image, strength: float) -> Image:
    """A grey veil, thicker here than there; at strength 1 nothing is seen through its thick parts."""
    veil = np.clip(strength * (0.75 + 0.6 * cloud(rng, image.shape[0])), 0, 1)
    shade = rng.uniform(90, 225) + 25 * (cloud(rng, image.shape[0], 4) - 0.5)
    return _blend(image, shade[..., None] + rng.uniform(-6, 6, 3).astype(np.float32), veil)


def fog(rng: np.random.Generator, image: Image, strength: float) -> Image:
    """An even veil."""
    return _blend(image, rng.uniform(120, 230) + rng.uniform(-8, 8, 3), np.full(image.shape[:2], 0.97 * strength))


def darkness(rng: np.random.Generator, image: Image, strength: float) -> Image:
    """Little light: gain down to a fiftieth, and the noise of an amplified sensor."""
    dark = cv2.convertScaleAbs(image, alpha=1 - 0.98 * strength, beta=rng.uniform(0, 8))
    return add_noise(rng, dark, 1 + 6 * strength * rng.random())  # type: ignore[arg-type]


def glare(rng: np.random.Generator, image: Image, strength: float) -> Image:
    """A bright light with a wide halo somewhere near the middle."""
    side = image.shape[0]
    y, x = np.mgrid[:side, :side].astype(np.float32)
    cx, cy = rng.uniform(0.2, 0.8, 2) * side
    radius = side * rng.uniform(0.15, 0.6)
    halo = np.exp(-np.hypot(x - cx, y - cy) / radius)
    return _blend(image, np.array([255.0, 255, 255]), np.clip(1.6 * strength * halo, 0, 1))


def noise(rng: np.random.Generator, image: Image, strength: float) -> Image:
    """Noise that replaces the picture at strength 1."""
    level = np.full(image.shape[:2], int(rng.uniform(60, 190)), np.uint8)
    field = add_noise(rng, level, rng.uniform(15, 60))
    return _blend(image, field[..., None], np.full(image.shape[:2], strength))


def black(rng: np.random.Generator, image: Image, strength: float) -> Image:
    """No signal: one level, whatever the strength."""
    level = 0 if rng.random() < 0.7 else rng.uniform(0, 255)
    return np.full_like(image, int(level))


def crossover(rng: np.random.Generator, image: Image, strength: float) -> Image:
    """Thermal crossover: target and surroundings of one temperature; contrast is lost, large structure first."""
    single = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    flat = cv2.GaussianBlur(single, (0, 0), 6) * (1 - strength) + float(single.mean()) * strength
    weak = flat + (single - flat) * (1 - strength) * 0.3
    return three_channels(add_noise(rng, np.clip(weak, 0, 255).astype(np.uint8), rng.uniform(1, 4)))


CORRUPTIONS: dict[str, tuple[Corruption, ...]] = {
    "rgb": (smoke, smoke, fog, darkness, darkness, glare, noise, black),
    "ir": (crossover, crossover, noise, black, glare, fog),
}


def corrupt(rng: np.random.Generator, modality: str, template: Image, search: Image) -> tuple[Image, Image]:
    """Corrupt the search image of one modality, and in a third of the cases its template, less, in the same way."""
    kinds = CORRUPTIONS[modality]
    kind = kinds[int(rng.integers(len(kinds)))]
    strength = float(rng.uniform(0.35, 1.0))
    if rng.random() < 0.35:
        template = kind(rng, template, strength * float(rng.uniform(0.3, 1.0)))
    return template, kind(rng, search, strength)
