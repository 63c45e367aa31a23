"""Boxes: (x, y, w, h) in pixels, 0-based, x and y of the top-left edge; a pixel i covers [i, i + 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]
SMALLEST, LARGEST = 0.1, 2
"""Sides of a box that a tracker can start on: at least in px, at most in sides of the picture."""


def overlap(a: ArrayLike, b: ArrayLike) -> Array:
    """Intersection over union of boxes.

    Args:
        a, b: (..., 4) boxes x, y, w, h; broadcast against each other.

    Returns:
        (...) values in [0, 1]; NaN where a box holds NaN, 0 where both boxes are empty.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    left_top = np.maximum(first[..., :2], second[..., :2])
    right_bottom = np.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:])
    shared = np.prod(np.maximum(right_bottom - left_top, 0), axis=-1)
    union = np.prod(first[..., 2:], axis=-1) + np.prod(second[..., 2:], axis=-1) - shared
    return np.where(np.isnan(union), np.nan, np.divide(shared, union, out=np.zeros_like(union), where=union > 0))


def center_distance(a: ArrayLike, b: ArrayLike) -> Array:
    """Euclidean distance between box centres, in pixels; (..., 4) and (..., 4) -> (...)."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    gap = first[..., :2] + first[..., 2:] / 2 - second[..., :2] - second[..., 2:] / 2
    return np.hypot(gap[..., 0], gap[..., 1])


def polygon_to_box(points: ArrayLike) -> Array:
    """Axis-aligned bounds of polygons: (..., 2 n) as x1, y1, x2, y2, ... -> (..., 4) as x, y, w, h."""
    corners = np.asarray(points, dtype=np.float64)
    x, y = corners[..., 0::2], corners[..., 1::2]
    return np.stack([x.min(-1), y.min(-1), np.ptp(x, axis=-1), np.ptp(y, axis=-1)], axis=-1)


def box_to_polygon(boxes: ArrayLike) -> Array:
    """Corners, clockwise from the top left: (..., 4) -> (..., 8)."""
    x, y, w, h = np.moveaxis(np.asarray(boxes, dtype=np.float64), -1, 0)
    return np.stack([x, y, x + w, y, x + w, y + h, x, y + h], axis=-1)


def check_box(box: ArrayLike, width: int, height: int) -> tuple[float, float, float, float]:
    """Return the box as floats if a tracker can start on it.

    Raises:
        UserError: not four finite numbers, (nearly) no area, or far larger than the ``width`` x ``height`` image or
            wholly outside it.
    """
    values = np.asarray(box, dtype=np.float64).ravel()
    text = ",".join(f"{value:g}" for value in values)
    if values.size != 4 or not np.isfinite(values).all():
        raise UserError(f"Expected a box of four finite numbers x,y,w,h, got '{text}'.")
    x, y, w, h = (float(value) for value in values)
    if w <= 0 or h <= 0:
        raise UserError(f"Expected a box with positive width and height, got x,y,w,h = {text}.")
    if min(w, h) < SMALLEST or w > LARGEST * width or h > LARGEST * height:
        raise UserError(
            f"Expected a box of at least {SMALLEST:g} px and at most {LARGEST} times the {width}x{height} image, got "
            f"x,y,w,h = {text}."
        )
    if x >= width or y >= height or x + w <= 0 or y + h <= 0:
        raise UserError(f"The box x,y,w,h = {text} lies outside the {width}x{height} image.")
    return x, y, w, h
