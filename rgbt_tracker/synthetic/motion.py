"""Movement as functions of the frame number: paths, envelopes, the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.synthetic.panorama import HEIGHT, WIDTH

Values = NDArray[np.float64]
BASE = (640, 480)  # panorama pixels that a camera without zoom sees


def envelope(length: int, start: float, stop: float, ramp: float = 0.06) -> Values:
    """Rise from 0 to 1 at ``start``, fall back at ``stop``; all three are fractions of the sequence.

    Smooth steps s(u) = u^2 (3 - 2 u) of width ``ramp``. A start <= 0 or a stop >= 1 has no ramp.
    """
    time = np.arange(length) / max(length - 1, 1)
    up = np.ones(length) if start <= 0 else np.clip((time - start) / ramp + 0.5, 0, 1)
    down = np.ones(length) if stop >= 1 else np.clip((stop - time) / ramp + 0.5, 0, 1)
    return np.minimum(up * up * (3 - 2 * up), down * down * (3 - 2 * down))


def sway(rng: np.random.Generator, length: int, periods: float) -> Values:
    """A smooth wander in about [-1, 1]: three sines of ``periods`` and more cycles over the sequence."""
    time = np.arange(length) / max(length - 1, 1)
    start = rng.uniform(0, 2 * np.pi, 3)
    waves = [np.sin(2 * np.pi * periods * k * time + s) / k for k, s in zip((1, 1.7, 3.1), start, strict=True)]
    return np.sum(waves, axis=0) / 1.9


@dataclass(frozen=True)
class Camera:
    """Where the camera looks in each frame: panorama point in the middle of the picture, zoom, roll in radians."""

    x: Values
    y: Values
    zoom: Values
    roll: Values

    def matrix(self, index: int, size: tuple[int, int]) -> NDArray[np.float64]:
        """3x3 matrix from panorama pixels to the pixels of a picture of ``size`` (width, height)."""
        scale = self.zoom[index] * max(size[0] / BASE[0], size[1] / BASE[1])
        cos, sin = scale * np.cos(self.roll[index]), scale * np.sin(self.roll[index])
        linear = np.array([[cos, -sin], [sin, cos]])
        shift = (np.array(size) - 1) / 2 - linear @ np.array([self.x[index], self.y[index]])
        return np.vstack([np.column_stack([linear, shift]), [0, 0, 1]])


def follow(
    rng: np.random.Generator, x: Values, row: Values, tall: Values, shake: Values, zoom: float, lag: float = 90.0
) -> Camera:
    """A camera that follows a target loosely.

    Args:
        x, row: the target's foot in panorama pixels; tall: its height there.
        shake: strength per frame; 1 jitters by about 9 px and 0.8 degrees.
        zoom: the largest change of focal length, 0.5 for a factor of 1.5.
        lag: how far the target strays from the middle, in pixels.
    """
    from scipy.ndimage import gaussian_filter1d  # half a second that a recorded sequence can do without

    length = len(x)
    sigma = max(length / 9, 3.0)
    enlarged = np.clip(
        1.0 + zoom * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / max(length - 1, 1) * rng.uniform(0.8, 1.3))),
        1,
        3,
    )
    half_x, half_y = BASE[0] / 2 / enlarged, BASE[1] / 2 / enlarged
    middle = gaussian_filter1d(x, sigma, mode="nearest") + lag * sway(rng, length, 0.9) / enlarged
    height = (
        gaussian_filter1d(row - 0.5 * tall, sigma, mode="nearest")
        - 30 / enlarged
        + 0.25 * lag * sway(rng, length, 0.7) / enlarged
    )
    jitter = gaussian_filter1d(rng.normal(0, 1, (3, length)), 0.9, axis=1) * 1.8 * shake
    middle, height = middle + 6 * jitter[0], height + 6 * jitter[1]
    border = 14
    return Camera(
        np.clip(middle, half_x + border, WIDTH - half_x - border),
        np.clip(height, half_y + border, HEIGHT - half_y - border),
        enlarged,
        0.010 * jitter[2],
    )
