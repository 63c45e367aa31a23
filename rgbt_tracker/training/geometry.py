"""Target-centred crops: their size, windows cut out of them, and where the box lands in these.

Coordinates are pixel centres here (the centre of pixel i is i), as anchors use them; boxes on disk are edges,
half a pixel further.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgbt_tracker.boxes import Box
from rgbt_tracker.training.material import Jitter
from rgbt_tracker.training.views import Image

CROP = 383
"""Side of a crop, px."""
EXEMPLAR = 127
"""Side of the window around the target that a tracker calls its exemplar, px of the crop."""

Corners = NDArray[np.float64]


def context_scale(extent: ArrayLike) -> float:
    """Crop pixels per pixel of a picture in which the target measures ``extent`` (w, h).

    k = 127 / sqrt((w + c) (h + c)) with c = (w + h) / 2.
    """
    w, h = np.asarray(extent, np.float64)
    context = (w + h) / 2
    return float(EXEMPLAR / np.sqrt((w + context) * (h + context)))


@dataclass(frozen=True)
class Window:
    """A rectangle of the crop, resampled to ``size`` x ``size``.

    Attributes:
        x, y: centre in crop pixels.
        sx, sy: crop pixels per output pixel.
        size: output side.
        flip: mirrored left to right.
    """

    x: float
    y: float
    sx: float
    sy: float
    size: int
    flip: bool = False

    def matrix(self) -> NDArray[np.float64]:
        """The 2x3 affine map from output pixels to crop pixels."""
        half = (self.size - 1) / 2
        sx = -self.sx if self.flip else self.sx
        return np.array([[sx, 0, self.x - sx * half], [0, self.sy, self.y - self.sy * half]])

    def cut(self, image: Image) -> Image:
        """Resample the window bilinearly; outside the crop its mean colour. HxW(x3) -> size x size (x3), uint8."""
        fill = (0.0, 0.0, 0.0) if self._inside(image) else cv2.mean(image)[:3]
        return cv2.warpAffine(  # type: ignore[return-value]
            image,
            self.matrix(),
            (self.size, self.size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=fill,
        )

    def _inside(self, image: Image) -> bool:
        """Whether no pixel from outside is needed, so that the mean colour need not be computed."""
        height, width = image.shape[:2]
        reach_x, reach_y = self.sx * (self.size - 1) / 2, self.sy * (self.size - 1) / 2
        return min(self.x - reach_x, self.y - reach_y, width - 1 - self.x - reach_x, height - 1 - self.y - reach_y) >= 0

    def corners(self, box: Box) -> Corners:
        """Map an edge box (x, y, w, h) of the crop to x1, y1, x2, y2 in output pixel centres (unclipped)."""
        half = (self.size - 1) / 2
        x, y, w, h = box
        left, right = ((edge - 0.5 - self.x) / self.sx for edge in (x, x + w))
        if self.flip:
            left, right = -right, -left
        top, bottom = ((edge - 0.5 - self.y) / self.sy for edge in (y, y + h))
        return np.array([left, top, right, bottom]) + half


def jitter(rng: np.random.Generator, box: Box, size: int, ranges: Jitter, flip: bool = False) -> Window:
    """Draw a window around the box's centre: shifted and scaled uniformly, x and y apart (PySOT's Augmentation)."""
    shift = rng.uniform(-ranges.shift, ranges.shift, 2)
    scale = 1 + rng.uniform(-ranges.scale, ranges.scale, 2)
    x, y, w, h = box
    return Window(x + w / 2 - 0.5 + shift[0], y + h / 2 - 0.5 + shift[1], float(scale[0]), float(scale[1]), size, flip)


def moved(window: Window, dx: float, dy: float) -> Window:
    """The same window displaced by (dx, dy) crop pixels: a second camera that is not quite aligned."""
    return Window(window.x + dx, window.y + dy, window.sx, window.sy, window.size, window.flip)
