"""The horizontal and vertical bands of the six-orientation steerable pyramid, space-domain filters ``sp5``.

Filter taps: Karasaridis and Simoncelli, "A Filter Design Technique for Steerable Pyramid Image Transforms", ICASSP
1996, as distributed with matlabPyrTools and pyrtools (MIT licence). They are written here instead of called from
pyrtools because VIF uses eight of its 26 bands, and the package brings matplotlib, requests and a compiled library
along; the tests compare these bands with it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Upper left quarters, middle row and column included, of filters symmetric in both directions.
_LOW0_QUARTER = [
    [0.00341614, -0.01551246, -0.03848215],
    [-0.01551246, 0.05586982, 0.15925570],
    [-0.03848215, 0.15925570, 0.40304148],
]
_LOW_QUARTER = [
    [0.00085404, -0.00244917, -0.00387812, -0.00944432, -0.00962054],
    [-0.00244917, -0.00523281, -0.00661117, 0.00410600, 0.01002988],
    [-0.00387812, -0.00661117, 0.01396746, 0.03277038, 0.03981393],
    [-0.00944432, 0.00410600, 0.03277038, 0.06426333, 0.08169618],
    [-0.00962054, 0.01002988, 0.03981393, 0.08169618, 0.10096540],
]
# Symmetric from top to bottom, antisymmetric from left to right.
_BAND_QUARTER = [
    [0.00277643, -0.00986904, -0.01021852, 0.0],
    [0.00496194, -0.00893064, -0.03075356, 0.0],
    [0.01026699, 0.01189859, -0.08226445, 0.0],
    [0.01455399, 0.02755155, -0.11732297, 0.0],
]


def _mirror(quarter: list[list[float]], sign: float = 1.0) -> Array:
    left = np.array(quarter)
    upper = np.hstack([left, sign * left[:, -2::-1]])
    return np.vstack([upper, upper[-2::-1]])


LOW0 = _mirror(_LOW0_QUARTER)
LOW = 2 * _mirror(_LOW_QUARTER)
HORIZONTAL = _mirror(_BAND_QUARTER, -1.0)
VERTICAL = -HORIZONTAL.T


def steerable_bands(image: Array, levels: int = 4) -> list[tuple[Array, Array]]:
    """Return bands 0 and 3 of every level, finest first.

    Args:
        image: HxW.
        levels: each has half the size of the one before, rounded up.

    Returns:
        ``levels`` pairs of arrays; borders reflect about the edge pixel ("reflect1").
    """
    low = _correlate(image, LOW0)
    bands = []
    for level in range(levels):
        if level:
            low = _correlate(low, LOW)[::2, ::2]
        bands.append((_correlate(low, HORIZONTAL), _correlate(low, VERTICAL)))
    return bands


def _correlate(image: Array, kernel: Array) -> Array:
    filtered = cv2.filter2D(image, cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT_101)
    return filtered.astype(np.float64, copy=False)
