"""Backgrounds from photographs, and targets of visible clips before other ones.

So that a few dozen clips do not teach a few dozen places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from rgbt_tracker.training.augmentation import photometric
from rgbt_tracker.training.geometry import CROP
from rgbt_tracker.training.views import Image, TargetView

CENTER = (CROP - 1) / 2
CAMERA_MOTION = 25
"""Standard deviation of the background's move between two moments, in crop px."""


class Background:
    """A part of a picture as a camera shows it that moves a little between two moments.

    Args:
        pictures: HxWx3 or HxW uint8, of one size: what several cameras see of it.
        zoom: pixels of the picture per crop px [default: drawn].
        heights: where the middle of the view is, from the picture's top (0) to its bottom (1).
    """

    def __init__(
        self,
        rng: np.random.Generator,
        *pictures: Image,
        zoom: float | None = None,
        heights: tuple[float, float] = (0.3, 0.7),
    ) -> None:
        self._pictures = pictures
        self._place = rng.uniform((0.3, heights[0]), (0.7, heights[1])) * pictures[0].shape[1::-1]
        self._zoom = float(np.exp(rng.uniform(-0.6, 0.1))) if zoom is None else zoom

    def views(self, rng: np.random.Generator) -> list[Image]:
        """One moment of each picture, CROP x CROP (x 3)."""
        place = self._place + rng.normal(0, CAMERA_MOTION, 2)
        return [centred_view(picture, place, self._zoom * np.eye(2)) for picture in self._pictures]

    def view(self, rng: np.random.Generator) -> Image:
        """One moment of the first picture."""
        return self.views(rng)[0]


def centred_view(image: Image, center: np.ndarray, linear: np.ndarray, fill: Sequence[float] | None = None) -> Image:
    """CROP x CROP view of an image: crop pixel offsets from the centre, times ``linear`` (2x2), are image offsets.

    Outside the image is its mirror image, or ``fill``.
    """
    offset = center - linear @ np.array([CENTER, CENTER])
    matrix = np.concatenate([linear, offset[:, None]], axis=1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REFLECT_101 if fill is None else cv2.BORDER_CONSTANT
    return cv2.warpAffine(image, matrix, (CROP, CROP), flags=flags, borderMode=border, borderValue=fill or ())  # type: ignore[return-value]


def replace_background(
    rng: np.random.Generator, views: tuple[TargetView, TargetView], picture: Image
) -> tuple[TargetView, TargetView]:
    """Put the targets of both views before one picture.

    Args:
        views: those with only a visible image and a known silhouette change, others come back as they are.
        picture: HxWx3 uint8 BGR.
    """
    background = Background(rng, picture)
    first, second = (_before(rng, view, background.view(rng)) for view in views)
    return first, second


def _before(rng: np.random.Generator, view: TargetView, outer: Any) -> TargetView:
    if view.mask is None or set(view.images) != {"rgb"}:
        return view
    share = view.mask.astype(np.float32) / 255
    outer = photometric.brightness(rng, outer)
    if outer.shape[:2] != share.shape:  # a set of crops of another size
        outer = cv2.resize(outer, share.shape[::-1])
    image: Any = cv2.blendLinear(view.images["rgb"], outer, share, 1 - share)
    return replace(view, images={"rgb": image})
