"""The other thing that thermal cameras are used for: what is warm, in colours over the visible picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.pictures import Image, white_level
from nestfuse_core.fusion import thermal
from nestfuse_core.fusion.colour import luminance
from nestfuse_core.fusion.fuser import Fusion
from nestfuse_core.fusion.infrared import infrared_levels
from nestfuse_core.fusion.scale import ThermalScale

Grey = NDArray[np.float32]

COLOURS = cv2.COLORMAP_INFERNO
DARKEST = 90
"""Of the colour map's 256 colours, the first that is used: those before it are too dark to tell from shade."""
WARMER, HOTTEST = 24.0, 99.9
"""Grey levels above the median from which on something is warm, and the percentile that has the last colour."""
SHARE = 85.0
"""Percentile below which nothing is warm, however varied the picture is."""
OPACITY = 0.8
RATE = 0.05
"""Of the way to the present frame's thresholds, what is gone in a frame."""
SAMPLE = 8
"""Every which pixel, both ways, tells the thresholds."""


@dataclass(frozen=True)
class Warmth:
    """Thermal grey levels between which colours fade in and rise to the brightest."""

    warm: float
    hottest: float

    @classmethod
    def of(cls, ir: Grey) -> Warmth:
        """The thresholds of one thermal picture, HxW in 0..255."""
        median, high, hottest = np.percentile(ir[::SAMPLE, ::SAMPLE], [50, SHARE, HOTTEST])
        warm = max(float(high), float(median) + WARMER)
        return cls(warm, max(float(hottest), warm + WARMER))

    def towards(self, other: Warmth) -> Warmth:
        """A part of the way to other thresholds."""
        return Warmth(self.warm + RATE * (other.warm - self.warm), self.hottest + RATE * (other.hottest - self.hottest))


class Overlay:
    """Lays the warm parts of the thermal picture over the visible one, each pair by itself.

    Args:
        thermal_range: as for `nestfuse_core.Fuser`.
    """

    def __init__(self, thermal_range: thermal.Range | None = None) -> None:
        self.thermal_range = thermal_range

    def __call__(self, ir: Image, vis: Image, nothing: NDArray[np.bool_] | None = None) -> Fusion:
        """Return the picture, HxWx3 BGR of the visible one's depth; arguments as for `nestfuse_core.Fuser`."""
        return _lay(ir, vis, nothing, self.thermal_range, Warmth.of)

    def video(self) -> VideoOverlay:
        """Return what does so with frames in their order, with thresholds that do not flicker."""
        return VideoOverlay(self)


class VideoOverlay:
    """Takes the frames of one pair of cameras in their order; from `Overlay.video`."""

    def __init__(self, overlay: Overlay) -> None:
        self._limits = overlay.thermal_range or ThermalScale()
        self._warmth: Warmth | None = None

    def __call__(self, ir: Image, vis: Image, nothing: NDArray[np.bool_] | None = None) -> Fusion:
        """Return the next picture, as `Overlay` does."""
        return _lay(ir, vis, nothing, self._limits, self._follow)

    def _follow(self, ir: Grey) -> Warmth:
        own = Warmth.of(ir)
        self._warmth = own if self._warmth is None else self._warmth.towards(own)
        return self._warmth

    def pass_over(self, ir: Image) -> None:
        """Leave out a frame; the scale of the frames after it may depend on its infrared picture."""
        if isinstance(self._limits, ThermalScale) and thermal.needs_scaling(ir):
            self._limits.follow(thermal.as_grey(ir))


def _lay(
    ir: Image,
    vis: Image,
    nothing: NDArray[np.bool_] | None,
    limits: thermal.Range | ThermalScale | None,
    warmth: Callable[[Grey], Warmth],
) -> Fusion:
    white, notes = white_level(vis), list[str]()
    visible = luminance(vis) * np.float32(255 / white)
    grey, seen = infrared_levels(ir, visible, limits, notes, nothing)
    found = warmth(grey)
    height = np.clip((grey - found.warm) / (found.hottest - found.warm), 0, 1)
    if seen is not None:
        height *= seen
    places = np.rint(DARKEST + (255 - DARKEST) * height).astype(np.uint8)
    colours = cv2.applyColorMap(places, COLOURS).astype(np.float32) * np.float32(white / 255)
    # The first step of colour is seen as soon as it is there, so it comes in softly.
    share = (OPACITY * np.minimum(2 * height, 1))[..., None]
    base = (np.repeat(vis[..., None], 3, axis=2) if vis.ndim == 2 else vis).astype(np.float32)
    image = np.rint(base + share * (colours - base)).astype(vis.dtype)
    shown = luminance(image) * np.float32(255 / white)
    eight = [np.rint(levels).astype(np.uint8) for levels in (shown, grey, visible)]
    return Fusion(image, luminance=eight[0], ir=eight[1], vis=eight[2], notes=notes)
