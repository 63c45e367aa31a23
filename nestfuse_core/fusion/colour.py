"""Luminance out of a colour picture, and a new luminance back into it without leaving the gamut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.pictures import Image

BGR_TO_Y = np.array([0.114, 0.587, 0.299], np.float32)
"""Rec. 601, as in MATLAB's rgb2gray and OpenCV's COLOR_BGR2GRAY."""
# Rows handled at once, so that float copies of large pictures stay small.
ROWS = 256


def luminance(image: Image) -> NDArray[np.float32]:
    """HxW or HxWx3 BGR -> HxW float32 on the same scale."""
    if image.ndim == 2:
        return image.astype(np.float32)
    out = np.empty(image.shape[:2], np.float32)
    for top in range(0, image.shape[0], ROWS):
        out[top : top + ROWS] = image[top : top + ROWS].astype(np.float32) @ BGR_TO_Y
    return out


def replace_luminance(image: Image, target: NDArray[np.float32], white: float) -> Image:
    """Return the picture with luminance ``target``, hue kept and every channel inside [0, white].

    With Y the old luminance and d = colour - Y, the new colour is target + s d. s is 1 (chroma kept) where the target
    is brighter, target / Y (saturation kept) where it is darker, and less where a channel would leave the gamut; so
    no channel is ever clipped and the luminance of the result is the target everywhere, rounding aside.

    Args:
        image: HxW or HxWx3 BGR, uint8 or uint16.
        target: HxW in [0, white].
        white: the value of white.

    Returns:
        Same shape and type as ``image``; the image itself where the target equals its luminance.
    """
    if image.ndim == 2:
        return np.rint(target).astype(image.dtype)
    result = np.empty_like(image)
    for top in range(0, image.shape[0], ROWS):
        rows = slice(top, top + ROWS)
        result[rows] = np.rint(_recolour(image[rows].astype(np.float32), target[rows], white)).astype(image.dtype)
    return result


def _recolour(colour: NDArray[np.float32], target: NDArray[np.float32], white: float) -> NDArray[np.float32]:
    old = colour @ BGR_TO_Y
    difference = colour - old[..., None]
    tiny = np.float32(1e-6)
    # Room above and below the target, over what the most extreme channel asks for.
    above = (white - target) / np.maximum(difference.max(axis=-1), tiny)
    below = target / np.maximum(-difference.min(axis=-1), tiny)
    scale = np.minimum(np.minimum(above, below), np.minimum(target / np.maximum(old, tiny), 1))
    return np.clip(target[..., None] + scale[..., None] * difference, 0, white)
