"""Square crops around a target, as SiamFC and PySOT cut them."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.tracking.cameras import Image


def crop_square(image: Image, center: tuple[float, float], side: float, size: int, fill: NDArray[np.float64]) -> Image:
    """Cut a ``side`` px square around ``center`` and resize it to ``size`` px.

    Outside the image the crop shows ``fill``, truncated to whole grey levels. The bilinear resize is left out when
    ``side`` equals ``size``, exactly as in PySOT.

    Args:
        image: HxWx3 uint8.
        center: x, y in px, where whole numbers are pixel centres.
        side: whole number of px (it may be typed as float).
        size: output side in px.
        fill: (3,) mean colour, 0..255.

    Returns:
        size x size x 3 uint8.
    """
    height, width = image.shape[:2]
    half = (side + 1) / 2
    left, top = math.floor(center[0] - half + 0.5), math.floor(center[1] - half + 0.5)
    right, bottom = int(left + side), int(top + side)
    inside = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        patch = inside
    elif inside.size:
        above, before = max(-top, 0), max(-left, 0)
        below, behind = bottom - top - above - inside.shape[0], right - left - before - inside.shape[1]
        colour = fill.astype(np.uint8).tolist()
        patch = cv2.copyMakeBorder(inside, above, below, before, behind, cv2.BORDER_CONSTANT, value=colour)
    else:
        patch = np.full((bottom - top, right - left, 3), fill.astype(np.uint8))
    if side == size:
        return patch
    return cv2.resize(patch, (size, size))
