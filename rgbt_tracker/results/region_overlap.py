"""Overlap of regions as vot-toolkit computes it: on the pixel grid, corners included.

A region is a 1-D array: 4 numbers are a rectangle x, y, w, h and cover the pixels x .. x + w - 1; 2 n numbers are a
polygon and cover the pixels of their corners too, so the corners of the same box cover one row and one column more.
This is why a tracker should answer in the form it was asked in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.extras import require

Array = NDArray[np.float64]
Region = NDArray[np.float64]
Size = tuple[int, int]


def region_overlap(a: Region, b: Region, size: Size | None = None) -> float:
    """Intersection over union of two regions in pixels, with the toolkit's rounding and borders.

    Args:
        a, b: (4,) rectangle x, y, w, h or (2 n,) polygon x1, y1, ..., 0-based.
        size: image (width, height); pixels outside do not count. None: no border.

    Returns:
        Value in [0, 1]. As in the toolkit, 1 when both regions together are not wider or higher than one pixel.

    Raises:
        UserError: a polygon is not an axis-aligned box and vot-toolkit is not installed.
    """
    first, second = _pixel_range(a), _pixel_range(b)
    if first is None or second is None:
        return _toolkit_overlap(a, b, size)
    left, top = min(first[0], second[0]), min(first[1], second[1])
    right, bottom = max(first[2], second[2]), max(first[3], second[3])
    if left >= right or top >= bottom:
        return 1.0
    if size is not None:
        left, top, right, bottom = max(0, left), max(0, top), min(size[0] - 1, right), min(size[1] - 1, bottom)
        if left >= right or top >= bottom:
            return 0.0
    frame = (left, top, right, bottom)
    shared = _area(_clip(_clip(first, second), frame))
    union = _area(_clip(first, frame)) + _area(_clip(second, frame)) - shared
    return shared / union if union > 0 else 0.0


def overlaps(regions: Sequence[Region | None], groundtruth: Sequence[Region | None], size: Size | None = None) -> Array:
    """Overlap per frame, (N,); NaN where either list holds None (a special frame)."""
    values = np.full(len(regions), np.nan)
    for index, (region, truth) in enumerate(zip(regions, groundtruth, strict=True)):
        if region is not None and truth is not None:
            values[index] = region_overlap(region, truth, size)
    return values


def _pixel_range(region: Region) -> tuple[int, int, int, int] | None:
    """First and last pixel covered (left, top, right, bottom), or None for a polygon that is not an upright box."""
    # float32 and rounding half to even, as the toolkit stores and rounds.
    values = np.round(np.asarray(region, dtype=np.float32))
    if values.size == 4:
        x, y, w, h = (int(value) for value in values)
        return x, y, x + w - 1, y + h - 1
    if values.size != 8 or not _is_upright(values):
        return None
    return int(values[0::2].min()), int(values[1::2].min()), int(values[0::2].max()), int(values[1::2].max())


def _is_upright(corners: NDArray[np.floating]) -> bool:
    """Whether four corners in order are those of an axis-aligned box."""
    x, y = corners[0::2], corners[1::2]
    horizontal_first = x[0] == x[3] and x[1] == x[2] and y[0] == y[1] and y[2] == y[3]
    vertical_first = x[0] == x[1] and x[2] == x[3] and y[0] == y[3] and y[1] == y[2]
    return bool(horizontal_first or vertical_first)


def _clip(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])


def _area(pixels: tuple[int, int, int, int]) -> int:
    return max(0, pixels[2] - pixels[0] + 1) * max(0, pixels[3] - pixels[1] + 1)


def _toolkit_overlap(a: Region, b: Region, size: Size | None) -> float:
    # Rectangles and axis-aligned polygons need no toolkit; the area of a rotated polygon is the toolkit's own.
    require("vot", "vot.region")
    from vot.region import calculate_overlap

    return float(calculate_overlap(_shape(a), _shape(b), size))


def _shape(region: Region):
    from vot.region.shapes import Polygon, Rectangle

    if len(region) == 4:
        return Rectangle(*region)
    return Polygon(list(zip(region[0::2], region[1::2], strict=True)))
