"""Raw thermal frames of one camera on one steady grey scale, and which of their pixels are measurements at all."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.pictures import Image
from nestfuse_core.fusion.thermal import PERCENTILES, Range, as_grey, to_grey_levels

SAMPLES = 6000
"""Pixels of a frame, on a grid, that are compared with those of the frame before."""
FLAT = 10.0
"""A frame whose range is below this many standard deviations of its noise shows the closed shutter."""
CLIPPED, NARROW = 0.1, 1 / 3
"""Share of pixels outside the range, and share of it that a frame fills, from which on it slowly changes its width."""
RATE = 0.05
"""Of the way to the present frame's range, how much is gone in a frame."""
NEAR, FAR = 0.25, 1.0
"""Distance of a mark from the measurements, over their range: where it lies along the border, and anywhere."""
MARKED = 0.01
"""Share of the picture that a mark among the measurements must fill along the border to be one."""
FINE = 200
"""Number of values from which on equal neighbours are no measurements: those of a camera differ by its noise."""
EDGE = np.ones((5, 5), np.uint8)
"""What is mixed from mark and measurement where a picture was resampled: two pixels around."""


class ThermalScale:
    """Maps a camera's raw thermal frames, in their order, to grey levels 0..255 through one range.

    The range holds the percentiles of the first frame that is not flat, and its width stays. Its place follows what
    all pixels do together, the median difference between a frame and the last one, at once: a calibration's jump and a
    drift leave grey levels as they are, and something hot that enters moves no median. Flat frames (the closed shutter)
    are passed over. Only while the range does not fit the pictures, more than a tenth of the pixels outside or the
    pictures filling less than a third of it, it approaches theirs by a twentieth of the way in each frame.
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
            low, high = low + RATE * (present[0] - low), high + RATE * (present[1] - high)
        self._range = low, high

    def state(self) -> NDArray[np.float64]:
        """Everything that later frames depend on, as one row of numbers for `restore`."""
        limits = (np.nan, np.nan) if self._range is None else self._range
        return np.concatenate([limits, self._last.shape, self._last.ravel()]).astype(np.float64)

    def restore(self, state: NDArray[np.float64]) -> None:
        """Go on as after the frame at which `state` was asked for."""
        low, high, height, width = (float(value) for value in state[:4])
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


def fill(levels: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the picture with the mean of the valid pixels where there is none; black where there is no valid one."""
    mean = round(float(levels[valid].mean())) if valid.any() else 0
    return np.where(valid, levels, np.uint8(mean)).astype(np.uint8, copy=False)


def valid_pixels(grey: Image) -> NDArray[np.bool_]:
    """Return where a raw thermal picture (HxW) holds measurements.

    Not where it is NaN or infinite, and not where it holds a mark for "nothing here": 0, the least value of its type,
    or -999 and less, if that lies along the border of the picture (the rim of a registered one) at some distance from
    the measurements or, in great number, among them; or anywhere if it is farther from them than they differ.
    What was mixed with a mark by resampling, two pixels around it, goes too. 8-bit pictures are all valid.
    """
    valid = np.ones(grey.shape, np.bool_) if grey.dtype.kind != "f" else np.isfinite(grey)
    if grey.dtype == np.uint8 or not valid.any():
        return valid
    for mark in _marks(grey, valid):
        marked = grey == mark
        place = _marked_place(grey, valid & ~marked, marked, float(mark))
        if place is not None:
            valid &= cv2.dilate(place.astype(np.uint8), EDGE) == 0
    return valid


def _marks(grey: Image, valid: NDArray[np.bool_]) -> list[float]:
    """Values in the picture that may stand for no measurement."""
    least = float(np.min(grey, where=valid, initial=np.inf) if grey.dtype.kind == "f" else grey.min())
    is_mark = least == 0 or least <= -999 or (grey.dtype.kind == "i" and least == np.iinfo(grey.dtype).min)
    marks = [least] if is_mark else []
    if least < 0:
        marks.append(0.0)
    return marks


def _marked_place(grey: Image, rest: NDArray[np.bool_], marked: NDArray[np.bool_], mark: float) -> Image | None:
    """Where a mark means that nothing was measured: HxW bool, or None."""
    count = np.count_nonzero(marked)
    if count == 0:
        return None
    values = grey[rest]
    if values.size == 0:
        return marked
    values = values[:: max(1, values.size // SAMPLES)].astype(np.float64)
    low, high = np.percentile(values, PERCENTILES)
    distance = max(low - mark, mark - high, 0.0)
    if distance > FAR * (high - low):
        return marked
    if distance < NEAR * (high - low) and not (low < mark < high and np.unique(values).size > FINE):
        return None
    rim = _along_border(marked)
    enough = distance > 0 or np.count_nonzero(rim) >= MARKED * grey.size
    return rim if enough and rim.any() else None


def _along_border(marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected parts that touch the border of the picture."""
    _, parts = cv2.connectedComponents(marked.astype(np.uint8), connectivity=4)
    border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    return np.isin(parts, np.unique(border[border > 0]))
