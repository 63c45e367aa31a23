"""The released code's way with pictures above 512 pixels: four overlapping parts, each fused as if it were a picture.

Every part has its own channel weights, so the parts meet in visible seams. It is here to reproduce the paper's files;
``tiling.py`` is the way without seams.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

LARGEST = 512
"""A longer side than this makes the released code cut."""

Grey = NDArray[np.float32]


def parts(height: int, width: int) -> list[tuple[slice, slice]]:
    """Rows and columns of the four parts; neighbours share 5 pixels. One part for a picture up to 512 pixels a side."""
    if max(height, width) <= LARGEST:
        return [(slice(0, height), slice(0, width))]
    middle, centre = height // 2, width // 2
    rows = (slice(0, min(middle + 3, height)), slice(max(0, middle - 2), height))
    columns = (slice(0, min(centre + 3, width)), slice(max(0, centre - 2), width))
    return [(y, x) for y in rows for x in columns]


def fuse_in_quarters(fuse: Callable[[Grey, Grey], Grey], ir: Grey, vis: Grey) -> Grey:
    """Fuse HxW grey levels part by part; where parts overlap, their mean."""
    total, count = np.zeros(vis.shape, np.float32), np.zeros(vis.shape, np.float32)
    for rows, columns in parts(*vis.shape):
        cut = (np.ascontiguousarray(image[rows, columns]) for image in (ir, vis))
        total[rows, columns] += fuse(*cut)
        count[rows, columns] += 1
    return total / count
