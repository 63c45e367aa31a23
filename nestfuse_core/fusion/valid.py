"""Which pixels of a raw thermal picture are measurements: registered pictures have rims, cameras dead pixels."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.pictures import Image

Levels = TypeVar("Levels", bound=Image)

SAMPLES = 6000
"""Pixels from which the range of the measurements is estimated."""
SPAN = (0.5, 99.5)
"""Percentiles between which the measurements lie."""
NEAR, FAR = 0.25, 1.0
"""Distance of a mark from the measurements, over their range: where it lies along the border, and anywhere."""
MARKED = 0.01
"""Share of the picture that a mark among the measurements must fill along the border to be one."""
FINE = 200
"""Number of values from which on equal neighbours are no measurements: those of a camera differ by its noise."""
EDGE = np.ones((5, 5), np.uint8)
"""What is mixed from mark and measurement where a picture was resampled: two pixels around."""


def fill(levels: Levels, valid: NDArray[np.bool_]) -> Levels:
    """Return HxW grey levels with the mean of the valid ones where there is none; black where no pixel is valid."""
    mean = float(levels[valid].mean(dtype=np.float64)) if valid.any() else 0.0
    filled = levels.copy()
    filled[~valid] = round(mean) if levels.dtype.kind in "ui" else mean
    return filled


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
        place = _marked_place(grey, valid & ~_with_edge(marked), marked, mark)
        if place is not None:
            valid &= ~_with_edge(place)
    return valid


def _with_edge(place: Image) -> NDArray[np.bool_]:
    return cv2.dilate(place.astype(np.uint8), EDGE) > 0


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
    low, high = np.percentile(values, SPAN)
    distance = max(low - mark, mark - high, 0.0)
    if distance > FAR * (high - low):
        return marked
    apart = distance >= NEAR * (high - low)
    # Nothing lies below a value at which a picture was clipped.
    among = float(values.min()) < mark < high and np.unique(values).size > FINE
    if not apart and not among:
        return None
    rim = _along_border(marked)
    return rim if np.count_nonzero(rim) >= (1 if apart else MARKED * grey.size) else None


def _along_border(marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected parts that touch the border of the picture."""
    _, parts = cv2.connectedComponents(marked.astype(np.uint8), connectivity=4)
    border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    return np.isin(parts, np.unique(border[border > 0]))
