"""Changes of appearance that leave the geometry alone, one modality at a time.

Every function takes and returns HxWx3 uint8 BGR and draws all its randomness from ``rng``.
"""

from __future__ import annotations

import cv2
import numpy as np

from rgbt_tracker.training.pictures import three_channels
from rgbt_tracker.training.views import Image

# Principal colour axes (rows) times their standard deviations; PySOT's matrix, which it multiplies from the other side.
PCA = np.array(
    [
        [-0.55919361, 0.98062831, -0.41940627],
        [1.72091413, 0.19879334, -1.82968581],
        [4.64467907, 4.73710203, 4.88324118],
    ],
    dtype=np.float32,
)
_LEVELS = np.arange(256, dtype=np.float32)


def pca_colour(rng: np.random.Generator, image: Image) -> Image:
    """A constant offset a channel, normal along the principal colour axes (AlexNet's PCA jitter)."""
    offset = PCA.T @ rng.standard_normal(3).astype(np.float32)
    table = np.clip(_LEVELS[:, None] - offset, 0, 255).astype(np.uint8)
    return cv2.LUT(image, table.reshape(256, 1, 3))  # type: ignore[return-value]


def brightness(rng: np.random.Generator, image: Image, tint: float = 0.12) -> Image:
    """Gain, offset and gamma, and up to +-``tint`` (log) of each channel by itself."""
    gamma, gain, offset = np.exp(rng.uniform(-0.5, 0.5)), np.exp(rng.uniform(-0.35, 0.35)), rng.uniform(-25, 25)
    colour = np.exp(rng.uniform(-tint, tint, 3))
    curve = 255 * (_LEVELS / 255) ** gamma * gain + offset
    table = np.clip(curve[:, None] * colour, 0, 255).astype(np.uint8)
    return cv2.LUT(image, table.reshape(256, 1, 3))  # type: ignore[return-value]


def blur(rng: np.random.Generator, image: Image) -> Image:
    """Motion blur along a random line of 3 to 11 px (PySOT blurs along a line, too), or slight defocus."""
    if rng.random() < 0.3:
        return cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.6, 1.8)))  # type: ignore[return-value]
    side = 2 * int(rng.integers(1, 6)) + 1
    angle = rng.uniform(0, np.pi)
    kernel = np.zeros((side, side), np.float32)
    reach = (side - 1) / 2
    dx, dy = reach * np.cos(angle), reach * np.sin(angle)
    ends = [(round(reach - dx), round(reach - dy)), (round(reach + dx), round(reach + dy))]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())  # type: ignore[return-value]


def grey(image: Image) -> Image:
    """Luminance in all channels."""
    return three_channels(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))  # type: ignore[arg-type]


def is_grey(image: Image) -> bool:
    """Whether all channels are alike (the first and last, to be exact)."""
    return bool((image[..., 0] == image[..., 2]).all())


def noise(rng: np.random.Generator, image: Image) -> Image:
    """Gaussian noise of up to 14 levels, the same in all channels for grey images."""
    if is_grey(image):
        return three_channels(add_noise(rng, image[..., 0], rng.uniform(2, 14)))
    return add_noise(rng, image, rng.uniform(2, 14))


def add_noise(rng: np.random.Generator, image: Image, sigma: float) -> Image:
    """Add independent Gaussian noise to every value; HxW or HxWx3."""
    # OpenCV's generator is ten times faster than numpy's here; its state belongs to the thread.
    cv2.setRNGSeed(int(rng.integers(1 << 31)))
    field = np.empty((1, image.size), np.int16)
    cv2.randn(field, 0.0, float(sigma))  # type: ignore[call-overload]
    return cv2.add(image, field.reshape(image.shape), dtype=cv2.CV_8U)  # type: ignore[return-value]
