"""Procedural textures: value noise and the patterns made of it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Plane = NDArray[Any]  # (H, W) float32
Picture = NDArray[Any]  # (H, W) or (H, W, channels) uint8


def fractal(
    rng: np.random.Generator, height: int, width: int, cell: tuple[float, float] | float, octaves: int = 4
) -> Plane:
    """Fractal value noise: random grids, each twice as fine and half as strong, interpolated and summed.

    Args:
        cell: size (x, y) in pixels of a cell of the coarsest grid.

    Returns:
        (height, width) float32, mean about 0.5, nearly all values in [0, 1].
    """
    cell_x, cell_y = (cell, cell) if isinstance(cell, (int, float)) else cell
    total = np.zeros((height, width), np.float32)
    weight, norm = 1.0, 0.0
    for _ in range(octaves):
        rows, columns = int(height / cell_y) + 3, int(width / cell_x) + 3
        grid = rng.random((rows, columns), dtype=np.float32)
        # A cell is resized to whole pixels, so the grid is drawn a little larger and cut.
        large = cv2.resize(
            grid, (max(int(columns * cell_x), width), max(int(rows * cell_y), height)), interpolation=cv2.INTER_CUBIC
        )
        total += weight * large[:height, :width]
        norm += weight
        weight, cell_x, cell_y = weight / 2, max(cell_x / 2, 1), max(cell_y / 2, 1)
    # The sum of octaves crowds around its mean; spread it over the range again.
    return np.clip(0.5 + (total / norm - 0.5) * 1.6, 0, 1)


def blend(mask: Plane, low: ArrayLike, high: ArrayLike) -> Plane:
    """Colour ramp: (H, W) weights in [0, 1] -> (H, W, 3) float32 from BGR ``low`` to BGR ``high``."""
    start, stop = np.asarray(low, np.float32), np.asarray(high, np.float32)
    return start + mask[..., None] * (stop - start)


def to_bytes(image: ArrayLike) -> Picture:
    """Round and clip to uint8."""
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def ground_coordinates(height: int, width: int, horizon: float, camera_height: float = 1.0) -> tuple[Plane, Plane]:
    """Where the rows under the horizon hit the ground plane.

    For a camera at ``camera_height`` that looks along the ground, pixel (x, y) sees X = (x - width / 2) c / d and
    Z = 600 c / d with d = y - horizon.

    Returns:
        X and Z, each (height, width) float32; rows at or above the horizon repeat the one below it.
    """
    depth = np.maximum(np.arange(height, dtype=np.float32) - horizon, 2.0)[:, None]
    x = (np.arange(width, dtype=np.float32) - width / 2)[None] * camera_height / depth
    z = np.broadcast_to(600 * camera_height / depth, (height, width))
    return x, np.ascontiguousarray(z, dtype=np.float32)


def on_ground(texture: Plane, x: Plane, z: Plane, per_unit: float) -> Plane:
    """Lay a texture on the ground: look ``texture`` up at (x, z) times ``per_unit`` texels, mirrored at its borders."""
    rows, columns = texture.shape[:2]
    # The shift keeps the mirror's axis away from the middle of the picture.
    map_x = _mirror(x * per_unit + 0.37 * columns, columns - 1)
    return cv2.remap(texture, map_x, _mirror(z * per_unit, rows - 1), cv2.INTER_LINEAR)


def _mirror(values: Plane, last: int) -> Plane:
    return (last - np.abs(np.mod(values, 2 * last) - last)).astype(np.float32)
