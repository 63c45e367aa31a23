"""Raw thermal frames of one camera on one steady grey scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.pictures import Image
from nestfuse_core.fusion.thermal import PERCENTILES, Range, as_grey, to_grey_levels
from nestfuse_core.fusion.valid import fill, valid_pixels

SAMPLES = 6000
"""Pixels of a frame, on a grid, that are compared with those of the frame before."""
FLAT = 10.0
"""A frame whose range is below this many standard deviations of its noise shows the closed shutter."""
CLIPPED, NARROW = 0.25, 1 / 3
"""Share of pixels outside the range, and share of it that a frame fills, from which on it slowly changes its width."""
RATE = 0.05
"""Of the way to the present frame's range, how much is gone in a frame, and of the width, how much at most."""


class ThermalScale:
    """Maps a camera's raw thermal frames, in their order, to grey levels 0..255 through one range.

    The range holds the percentiles of the first frame that is not flat, and its width stays. Its place follows what
    all pixels do together, the median difference between a frame and the last one, at once: a calibration's jump and a
    drift leave grey levels as they are, and something hot that enters moves no median. Flat frames (the closed shutter)
    are passed over. Only while the range does not fit the pictures, more than a quarter of the pixels outside or
    the pictures filling less than a third of it, it approaches theirs, by a twentieth in each frame.
    """

    def __init__(self) -> None:
        self._range: Range | None = None
        self._last = np.full((0, 0), np.nan, np.float32)

    def __call__(self, image: Image) -> NDArray[np.uint8]:
        """Take the next frame, HxW or HxWx3 of any number type, as HxW grey levels.

        Pixels without a measurement get the mean of the others; a picture without any is black.
        """
        grey = as_grey(image)
        valid = valid_pixels(grey)
        levels = np.rint(to_grey_levels(grey, self.follow(grey, valid))).astype(np.uint8)
        return levels if valid.all() else fill(levels, valid)

    def follow(self, grey: Image, valid: NDArray[np.bool_] | None = None) -> Range:
        """Take the next frame and return the values that become 0 and 255.

        Args:
            grey: HxW raw values.
            valid: HxW, where they are measurements; found by `valid_pixels` when None.
        """
        valid = valid_pixels(grey) if valid is None else valid
        step = max(1, round(float(np.sqrt(grey.size / SAMPLES))))
        sample = _sample(grey, valid, step, 0)
        values = sample[np.isfinite(sample)]
        if values.size == 0:
            return self._range or (0.0, 0.0)
        low, high = (float(value) for value in np.percentile(values, PERCENTILES))
        noise = _noise(sample, _sample(grey, valid, step, 1))
        if high - low <= FLAT * noise or high <= low:
            return self._range or _around((low + high) / 2, max(high - low, 2 * FLAT * noise))
        if self._range is None:
            values = grey[valid].astype(np.float32)
            low, high = (float(value) for value in np.percentile(values, PERCENTILES))
            self._range = low, high
        else:
            self._move(sample, values, (low, high))
        self._last = sample
        return self._range

    def _move(self, sample: NDArray[np.float32], values: NDArray[np.float32], present: Range) -> None:
        assert self._range is not None
        low, high = self._range
        if sample.shape == self._last.shape:
            differences = sample - self._last
            differences = differences[np.isfinite(differences)]
            if differences.size:
                shift = float(np.median(differences))
                low, high = low + shift, high + shift
        outside = np.count_nonzero((values < low) | (values > high)) / values.size
        if outside > CLIPPED or present[1] - present[0] < NARROW * (high - low):
            most = high - low
            low, high = (
                side + RATE * float(np.clip(there - side, -most, most))
                for side, there in zip((low, high), present, strict=True)
            )
        self._range = low, high

    def state(self) -> NDArray[np.float64]:
        """Everything that later frames depend on, as one row of numbers for `restore`."""
        limits = (np.nan, np.nan) if self._range is None else self._range
        return np.concatenate([limits, self._last.shape, self._last.ravel()]).astype(np.float64)

    def restore(self, state: NDArray[np.float64]) -> None:
        """Go on as after the frame at which `state` was asked for.

        Raises:
            ValueError: no such row.
        """
        low, high, height, width = (float(value) for value in state[:4])
        if np.isnan(low) != np.isnan(high) or low > high or np.isnan([height, width]).any():
            raise ValueError("scale holds values that cannot be")
        self._range = None if np.isnan(low) else (low, high)
        self._last = np.asarray(state[4:], np.float32).reshape(int(height), int(width))


def _sample(grey: Image, valid: NDArray[np.bool_], step: int, right: int) -> NDArray[np.float32]:
    """Every ``step``-th pixel, or its neighbours to the right: float32, NaN where nothing was measured."""
    rows, columns = slice(0, None, step), slice(right, None, step)
    return np.where(valid[rows, columns], grey[rows, columns], np.float32(np.nan)).astype(np.float32, copy=False)


def _noise(sample: NDArray[np.float32], neighbours: NDArray[np.float32]) -> float:
    """Standard deviation of one pixel, from the median distance of neighbours: edges do not count."""
    width = neighbours.shape[1]
    distances = np.abs(sample[:, :width] - neighbours)
    distances = distances[np.isfinite(distances)]
    return float(np.median(distances)) * 1.4826 / np.sqrt(2) if distances.size else 0.0


def _around(middle: float, width: float) -> Range:
    return middle - width / 2, middle + width / 2
