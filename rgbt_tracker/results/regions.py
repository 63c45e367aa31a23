"""Between the tracker's boxes and the regions of the VOT toolkit, with the precision of the TraX protocol."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgbt_tracker.boxes import Box, box_to_polygon, polygon_to_box


def region_to_box(region: ArrayLike) -> Box:
    """Box x, y, w, h of a rectangle (4,) or polygon (2 n,).

    A rotated polygon becomes the axis-aligned box with its centroid of corners, the area of the polygon and the aspect
    of its bounds, as VOT trackers do (Bertinetto et al., SiamFC); for an axis-aligned polygon these are its bounds.
    """
    values = np.asarray(region, dtype=np.float64)
    if values.size == 4:
        x, y, w, h = (float(value) for value in values)
        return x, y, w, h
    bounds = polygon_to_box(values)
    xs, ys = values[0::2], values[1::2]
    area = 0.5 * abs(np.dot(xs, np.roll(ys, -1)) - np.dot(ys, np.roll(xs, -1)))
    scale = np.sqrt(area / (bounds[2] * bounds[3])) if bounds[2] * bounds[3] > 0 else 1.0
    w, h = float(scale * bounds[2]), float(scale * bounds[3])
    if np.isclose(scale, 1.0):
        return float(bounds[0]), float(bounds[1]), float(bounds[2]), float(bounds[3])
    return float(xs.mean()) - w / 2, float(ys.mean()) - h / 2, w, h


def box_to_region(box: Box, like: ArrayLike) -> NDArray[np.float64]:
    """The box in the form of the region the tracker was started with: (4,) for a rectangle, (8,) for any polygon.

    The toolkit counts the corner pixels of a polygon and not those of a rectangle, so a box equal to the ground truth
    has overlap 1 only in the same form. The values are those the toolkit receives through TraX.
    """
    values = np.asarray(box, dtype=np.float64)
    return transported(values if np.size(like) == 4 else box_to_polygon(values))


def transported(values: ArrayLike) -> NDArray[np.float64]:
    """Values after a TraX message: float32, four decimals, float32."""
    return np.array([np.float32(f"{np.float32(value):.4f}") for value in np.ravel(values)], dtype=np.float64)


def is_usable(box: ArrayLike) -> bool:
    """Whether a box can be sent: four finite numbers within float32 pixels and a positive size."""
    values = np.asarray(box, dtype=np.float64).ravel()
    return bool(values.size == 4 and np.isfinite(values).all() and (abs(values) < 1e6).all() and (values[2:] > 0).all())
