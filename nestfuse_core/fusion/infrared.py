"""A thermal picture of any depth and size as the grey levels that are fused or laid over the visible picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.pictures import Image
from nestfuse_core.fusion import thermal
from nestfuse_core.fusion.scale import ThermalScale
from nestfuse_core.fusion.valid import fill, valid_pixels

Grey = NDArray[np.float32]
Missing = NDArray[np.bool_]
"""HxW, where the thermal picture holds no measurement."""
RAMP = 8
"""Pixels over which the thermal picture fades in beside a place without measurements: a hard border is an edge that the
network and the finest details would draw as a line."""


def infrared_levels(
    ir: Image,
    visible: Grey,
    limits: thermal.Range | ThermalScale | None,
    notes: list[str],
    nothing: Missing | None = None,
) -> tuple[Grey, Grey | None]:
    """Return the infrared picture as grey levels 0..255 in the visible one's size, and how far it counts.

    The second is HxW, 0 where the picture holds nothing and 1 at `RAMP` pixels from there; None where it is whole. The
    levels go over into the visible picture's with it.

    Args:
        ir: hxw or hxwx3 BGR; uint8, or uint16 or float32 of any range.
        visible: HxW in 0..255.
        limits: what becomes 0 and 255 of infrared that is not uint8, or the scale of the camera whose next frame it
            is; None for its percentiles 0.1 and 99.9.
        notes: what was done to the input is appended.
        nothing: hxw, where it shows nothing besides.
    """
    height, width = visible.shape
    if thermal.is_false_colour(ir):
        notes.append("infrared is coloured; its luminance was used, which a palette may have distorted")
    grey, missing = _grey_levels(thermal.as_grey(ir), limits, notes)
    if nothing is not None and nothing.any():
        missing = nothing if missing is None else missing | nothing
    if grey.shape != (height, width):
        notes.append(f"infrared {grey.shape[1]}x{grey.shape[0]} was resampled to {width}x{height}")
        ratio = grey.shape[1] / grey.shape[0] * height / width
        if abs(ratio - 1) > 0.02:
            notes.append("the two pictures differ in shape, so they may not show the same view: see 'rgbt rig align'")
        grey = thermal.resize_to(grey, width, height)
        if missing is not None:
            missing = cv2.resize(missing.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0
    if missing is None:
        return grey, None
    seen = _seen(missing)
    return faded(grey, visible, seen), seen


def faded(picture: Grey, visible: Grey, seen: Grey) -> Grey:
    """Return ``picture`` where it is seen, ``visible`` where not: HxW or HxWxC float32, ``seen`` HxW in 0..1."""
    share = seen[..., None] if picture.ndim == 3 else seen
    return visible + share * (picture - visible)


def _seen(missing: Missing) -> Grey:
    distance = cv2.distanceTransform((~missing).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.minimum(distance * np.float32(1 / RAMP), 1)


def _grey_levels(
    grey: Image, limits: thermal.Range | ThermalScale | None, notes: list[str]
) -> tuple[Grey, Missing | None]:
    """HxW of any depth -> HxW float32 in 0..255, and where it holds no measurement (None: it is whole)."""
    if not thermal.needs_scaling(grey):
        return np.ascontiguousarray(grey, np.float32), None
    valid = valid_pixels(grey)
    depth = "16-bit" if grey.dtype == np.uint16 else "floating-point"
    if isinstance(limits, ThermalScale):
        chosen = limits.follow(grey, valid)
        notes.append(f"{depth} infrared: one steady range for all frames became 0 to 255")
    else:
        chosen = limits or thermal.robust_range([grey])
        how = "as given" if limits else "percentiles 0.1 and 99.9"
        notes.append(f"{depth} infrared: {chosen[0]:g} to {chosen[1]:g} ({how}) became 0 to 255")
    levels = thermal.to_grey_levels(grey, chosen)
    if valid.all():
        return levels, None
    notes.append("infrared holds no measurement in a part of the picture; the visible picture passes there")
    return fill(levels, valid), ~valid
