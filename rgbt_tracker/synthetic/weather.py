"""What disturbs the cameras: smoke, glare, darkness, noise."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.synthetic.noise import Picture, Plane, fractal, to_bytes

Size = tuple[int, int]  # width, height
NOISE_SIGMAS = (1.6, 3.0, 4.5, 6.5, 9.0)
_ROOM = 64


class Smoke:
    """Two layers of drifting clouds; their density is computed at an eighth of the picture's size."""

    STEP = 8

    def __init__(self, rng: np.random.Generator) -> None:
        self.layers = [fractal(rng, 256, 1024, cell, 4) for cell in (46, 26)]
        self.start = rng.uniform(0, 300, 2)
        self.drift = rng.uniform(-0.5, 0.5) + np.array([0.16, -0.10])

    def _clouds(self, index: int, size: Size) -> list[Plane]:
        """What of both layers drifts through the picture, at an eighth of its size."""
        columns, rows = size[0] // self.STEP + 2, size[1] // self.STEP + 2
        windows = []
        for layer, start, drift in zip(self.layers, self.start, self.drift, strict=True):
            left = round((start + 2.2 * drift * index) % max(layer.shape[1] - columns, 1))
            top = round((start + 0.35 * index) % max(layer.shape[0] - rows, 1))
            windows.append(_enlarge(layer[top : top + rows, left : left + columns], (columns, rows)))
        return windows

    def density(self, index: int, strength: float, middle: tuple[float, float], size: Size) -> Plane:
        """Opacity in [0, 1] at an eighth of ``size``, thickest around ``middle`` (picture pixels)."""
        clouds = self._clouds(index, size)
        rows, columns = clouds[0].shape
        x = (np.arange(columns, dtype=np.float32) * self.STEP - middle[0]) / (0.45 * size[0])
        y = (np.arange(rows, dtype=np.float32) * self.STEP - middle[1]) / (0.6 * size[1])
        plume = np.exp(-0.5 * (x[None] ** 2 + y[:, None] ** 2))
        # The more smoke, the smaller the gaps: 1 - exp(-strength * thickness), Beer-Lambert.
        thickness = 0.1 + 0.17 * strength + np.clip(1.7 * (clouds[0] + clouds[1] - 0.75), 0, None)
        return (1 - np.exp(-1.6 * strength * plume * thickness)).astype(np.float32)

    def veil(self, image: Picture, density: Plane, colour: float, index: int) -> Picture:
        """Mix ``image`` with smoke: image (1 - d) + colour d; the smoke is shaded where it is thick."""
        size = (image.shape[1], image.shape[0])
        shade = 0.72 + 0.5 * self._clouds(index + 40, size)[0]
        keep = _enlarge(to_bytes(255 * (1 - density)), size)
        glow = _enlarge(to_bytes(density * colour * shade), size)
        if image.ndim == 3:
            keep, glow = cv2.merge([keep] * 3), cv2.merge([glow] * 3)
        return cv2.add(cv2.multiply(image, keep, scale=1 / 255), glow)


def _enlarge(small: Plane, size: Size) -> Plane:
    return cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)


@lru_cache(maxsize=4)
def glow_map(size: Size) -> Picture:
    """A low sun's halo and rays on a black picture of twice ``size``, light in its middle; (2 H, 2 W, 3) uint8."""
    width, height = size[0], size[1]  # computed at half of the map's size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    dx, dy = (x - width / 2) / width, (y - height / 2) / width
    radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    rays = 0.5 + 0.5 * np.cos(7 * angle + 1.3) * np.cos(12 * angle)
    light = 1.25 * np.exp(-((radius / 0.055) ** 2)) + (0.75 + 0.25 * rays) * np.exp(-radius / 0.13) * 1.15
    streak = np.exp(-((dy / 0.008) ** 2)) * np.exp(-np.abs(dx) / 0.2) * 0.5
    tint = np.array([205, 235, 255], np.float32)
    return cv2.resize(to_bytes(np.clip(light + streak, 0, 1)[..., None] * tint), (2 * width, 2 * height))


def glare(image: Picture, middle: tuple[float, float], strength: float) -> Picture:
    """Add the sun's halo around ``middle`` and a veil over everything: image (1 - 0.25 s) + s (halo + 22)."""
    height, width = image.shape[:2]
    left = int(np.clip(round(width - middle[0]), 0, width))
    top = int(np.clip(round(height - middle[1]), 0, height))
    halo = glow_map((width, height))[top : top + height, left : left + width]
    return cv2.addWeighted(image, 1 - 0.25 * strength, halo, strength, 22 * strength)


def darken(image: Picture, light: Picture, strength: float) -> Picture:
    """Night: image * (1 - s + s light / 255)."""
    mixed = cv2.convertScaleAbs(light, alpha=strength, beta=255 * (1 - strength))
    return cv2.multiply(image, mixed, scale=1 / 255)


@lru_cache(maxsize=16)
def _noise(size: Size, channels: int, sigma: float) -> NDArray[np.int8]:
    """A sheet of sensor noise a little larger than a picture; thermal sensors add faint columns."""
    rng = np.random.default_rng(int(sigma * 10) + channels)
    shape = (size[1] + _ROOM, size[0] + _ROOM, channels)
    sheet: Plane = rng.normal(0, sigma, shape)
    if channels == 3:
        # Half of a colour sensor's noise is common to the channels, and demosaicing smears it.
        sheet = 0.7 * sheet + 0.7 * rng.normal(0, sigma, (*shape[:2], 1))
        sheet = cv2.GaussianBlur(sheet, (0, 0), 0.6) * 1.7
    else:
        sheet = sheet[..., 0] + rng.normal(0, 0.35 * sigma, (1, shape[1]))
    return np.clip(np.rint(sheet), -127, 127).astype(np.int8)


def add_noise(image: Picture, rng: np.random.Generator, sigma: float) -> Picture:
    """Add sensor noise of about ``sigma`` grey levels; only its position on a fixed sheet is drawn anew."""
    nearest = min(NOISE_SIGMAS, key=lambda value: abs(value - sigma))
    height, width = image.shape[:2]
    sheet = _noise((width, height), 3 if image.ndim == 3 else 1, nearest)
    top, left = (int(value) for value in rng.integers(0, _ROOM, 2))
    return cv2.add(image, sheet[top : top + height, left : left + width], dtype=cv2.CV_8U)
