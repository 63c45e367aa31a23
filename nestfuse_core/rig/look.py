"""Pictures by which a person judges a rig: edges of one camera over the other's picture, and a checkerboard."""

from __future__ import annotations

import cv2
import numpy as np

from nestfuse_core.common.pictures import Image
from nestfuse_core.rig.features import View, thermal_view, visible_view
from nestfuse_core.rig.file import Rig
from nestfuse_core.rig.lay import Laying

SQUARES = 8
"""Of the checkerboard, across."""
EDGE = (0, 140, 255)
"""BGR of the thermal edges."""


def overlay(visible: Image, thermal: Image, rig: Rig) -> Image:
    """Edges of the thermal picture, laid as a rig says, over the grey visible one: HxWx3 uint8."""
    base, laid = _both(visible, thermal, rig)
    strength = cv2.GaussianBlur(laid.planes[..., 0], (0, 0), 1.2)
    gradient = np.hypot(cv2.Scharr(strength, cv2.CV_32F, 1, 0), cv2.Scharr(strength, cv2.CV_32F, 0, 1))
    gradient *= laid.valid
    inside = gradient[laid.valid]
    top = float(np.percentile(inside, 97)) if inside.size else 1.0
    share = np.clip(gradient / max(top, 1e-6), 0, 1)[..., None]
    grey = np.repeat(base.planes.mean(2, keepdims=True) * 0.7, 3, 2)
    return np.rint(grey * (1 - share) + np.array(EDGE) * share).astype(np.uint8)


def checkerboard(visible: Image, thermal: Image, rig: Rig) -> Image:
    """Squares of the visible picture and of the thermal one by turns: HxWx3 uint8; dark where thermal shows nothing."""
    base, laid = _both(visible, thermal, rig)
    width, height = base.size
    side = max(8, width // SQUARES)
    odd = (np.arange(height)[:, None] // side + np.arange(width)[None] // side) % 2 == 1
    colour = np.repeat(base.planes, 3, 2) if base.planes.shape[2] == 1 else base.planes
    grey = np.repeat(laid.planes, 3, 2) * laid.valid[..., None]
    return np.rint(np.where(odd[..., None], grey, colour)).astype(np.uint8)


def sheet(visible: Image, thermal: Image, rig: Rig) -> Image:
    """Before (stretched over it), after, and the checkerboard, side by side, each with its title."""
    parts = {
        "before": overlay(visible, thermal, Rig()),
        "after": overlay(visible, thermal, rig),
        "checkerboard": checkerboard(visible, thermal, rig),
    }
    for title, part in parts.items():
        for colour, thickness in (((0, 0, 0), 4), ((255, 255, 255), 1)):
            cv2.putText(part, title, (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, colour, thickness, cv2.LINE_AA)
    return np.hstack(list(parts.values()))


def _both(visible: Image, thermal: Image, rig: Rig) -> tuple[View, View]:
    base = visible_view(visible)
    laid, nothing = Laying(rig)(thermal, base.size)
    view = thermal_view(laid)
    return base, View(view.planes, view.valid & ~nothing)
