"""Thermal pictures of any depth as grey levels 0..255."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import Image
from nestfuse_core.fusion.colour import luminance
from nestfuse_core.fusion.valid import valid_pixels

Grey = NDArray[np.float32]
Range = tuple[float, float]

PERCENTILES = (0.1, 99.9)
"""Of the valid pixels: a few dead pixels or one very hot spot must not set the scale."""
COLOURED = 0.06
"""Mean difference between channels, over the largest value, from which on a grey picture counts as coloured."""
# Sorting more values than this costs time and moves the percentiles by nothing visible.
SAMPLE = 1_000_000


def as_grey(image: Image) -> Image:
    """Return HxW of the same data type; a three-channel picture becomes its luminance."""
    if image.ndim == 2:
        return image
    if np.array_equal(image[..., 0], image[..., 1]) and np.array_equal(image[..., 0], image[..., 2]):
        return image[..., 0]
    return np.rint(luminance(image)).astype(image.dtype) if image.dtype != np.float32 else luminance(image)


def is_false_colour(image: Image) -> bool:
    """Whether a thermal picture's three channels differ by more than video compression leaves: it wears a palette."""
    if image.ndim == 2:
        return False
    few = image[::4, ::4].astype(np.float32)
    return float(np.ptp(few, axis=2).mean()) > COLOURED * max(float(few.max()), 1e-9)


def robust_range(images: Iterable[Image]) -> Range:
    """Return the percentiles 0.1 and 99.9 of all valid pixels; (0, 0) when there is none."""
    samples = []
    for image in images:
        grey = as_grey(image)
        values = grey[valid_pixels(grey)]
        samples.append(values[:: max(1, values.size // SAMPLE)].astype(np.float64))
    pooled = np.concatenate(samples) if samples else np.empty(0)
    if pooled.size == 0:
        return 0.0, 0.0
    low, high = np.percentile(pooled, PERCENTILES)
    return float(low), float(high)


def needs_scaling(image: Image) -> bool:
    """Whether the values are raw (more than 8 bits or floating point) and not grey levels already."""
    return image.dtype != np.uint8


def to_grey_levels(image: Image, limits: Range) -> Grey:
    """Map ``limits`` to 0..255 linearly and clip; values that are not finite become 0. HxW -> HxW float32.

    A flat picture (limits without width) becomes 0: it holds no information.
    """
    low, high = limits
    grey = as_grey(image).astype(np.float32)
    if high <= low:
        return np.zeros_like(grey)
    grey -= low
    grey *= 255 / (high - low)
    np.nan_to_num(grey, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
    return np.clip(grey, 0, 255, out=grey)


def resize_to(grey: Grey, width: int, height: int) -> Grey:
    """Resample to ``width`` x ``height``: cubic when enlarging (clipped to 0..255), area means when shrinking."""
    smaller = width * height < grey.shape[0] * grey.shape[1]
    resized = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return np.clip(resized, 0, 255, out=resized.astype(np.float32, copy=False))


def parse_range(text: str | None) -> Range | None:
    """Return (low, high) from the command line; None for None.

    Raises:
        UserError: anything else.
    """
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = 0.0
    if not (np.isfinite([low, high]).all() and low < high):
        raise UserError(f"Expected a thermal range as LOW,HIGH with LOW < HIGH, such as 7000,9000, got '{text}'.")
    return low, high
