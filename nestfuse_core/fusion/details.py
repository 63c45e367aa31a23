"""Pictures at half resolution, and the finest details back into what was fused there.

A picture is the enlarged mean of its 2x2 blocks plus the details that this loses. The details of a fused picture are
those of its sources, mixed by how much of them each has in the neighbourhood (the choice by local energy of pyramid
fusion, with a soft switch), times the root of its share of the light there. The network then needs a quarter of the
time and memory, and what it decides, which source a place is taken from, is nothing that one pixel tells.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Grey = NDArray[np.float32]

SMALLEST = 16
"""Pictures with a side below this are not halved."""
NEIGHBOURHOOD = 1.5
"""Sigma of the Gaussian, in pixels, over which the magnitudes of details are averaged."""
SOFTNESS = 1.0
"""Grey levels by which one source must have more details than the other to give 73 % of them."""
BAND, MARGIN = 64, 8
"""Rows of the small picture handled at once, and those that its neighbourhoods need on either side."""


def halve(grey: Grey) -> Grey:
    """HxW -> the means of 2x2 blocks, (H+1)//2 x (W+1)//2; an odd last row or column counts twice."""
    height, width = grey.shape
    if height % 2 or width % 2:
        border = (0, height % 2, 0, width % 2)
        grey = np.asarray(cv2.copyMakeBorder(grey, *border, cv2.BORDER_REPLICATE), np.float32)
    return np.asarray(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)


def with_details(fused: Grey, ir: Grey, vis: Grey) -> Grey:
    """Enlarge what was fused at half resolution and add the details of its sources.

    Args:
        fused: (H+1)//2 x (W+1)//2, of ``halve(ir)`` and ``halve(vis)``; 0..255.
        ir, vis: HxW, 0..255.

    Returns:
        HxW, not cut to 0..255.
    """
    result = np.empty_like(vis)
    rows = fused.shape[0]
    for top in range(0, rows, BAND):
        # Bands in which nothing of the picture's other rows is missing, so that it does not show how they were cut.
        first, last = max(0, top - MARGIN), min(rows, top + BAND + MARGIN)
        outer = slice(2 * first, min(2 * last, vis.shape[0]))
        band = _restore(fused[first:last], ir[outer], vis[outer])
        inner = slice(2 * top, min(2 * (top + BAND), vis.shape[0]))
        result[inner] = band[2 * (top - first) :][: inner.stop - inner.start]
    return result


def _restore(fused: Grey, ir: Grey, vis: Grey) -> Grey:
    coarse = [_enlarge(halve(image), image.shape) for image in (ir, vis)]
    finest = [image - base for image, base in zip((ir, vis), coarse, strict=True)]
    both = coarse[0] + coarse[1] + 1
    # A camera that sees little light, or a cold sky, shows its noise: the darker source's details count less.
    more = [
        cv2.GaussianBlur(np.abs(detail), (0, 0), NEIGHBOURHOOD) * np.sqrt(2 * base / both)
        for detail, base in zip(finest, coarse, strict=True)
    ]
    share = expit((more[0] - more[1]) / np.float32(SOFTNESS))
    return _enlarge(fused, vis.shape) + finest[1] + share * (finest[0] - finest[1])


def _enlarge(small: Grey, shape: tuple[int, ...]) -> Grey:
    whole = cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole, np.float32)[: shape[0], : shape[1]]
