"""What two cameras of different kinds both see: where edges run, whatever their sign, and where something moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.pictures import Image
from nestfuse_core.fusion.thermal import as_grey, robust_range, to_grey_levels
from nestfuse_core.fusion.valid import valid_pixels

Grey = NDArray[Any]
Field = NDArray[np.complex64]
Mask = NDArray[np.bool_]
Matrix = NDArray[Any]

SURROUNDINGS = 9
"""The picture's width over half of that of the neighbourhood that an edge is compared with."""
NOISE = 3.0
"""An edge counts half when it is as strong as so many standard deviations of the noise in the picture's gradient."""
RIM_DARK = 12
"""Grey level of 255 up to which the empty rim of a registered picture is dark, after compression."""
RIM_LEAST = 0.002
"""Share of the picture that is the least rim."""
CONVEX = 0.985
"""A registered picture fills so much of its convex hull; a dark sky does not have straight borders."""


@dataclass
class View:
    """One camera's picture of one moment, as float32 planes with 0 to 255.

    Attributes:
        planes: HxWxC, colours or one grey.
        valid: HxW, where the picture holds something.
    """

    planes: Grey
    valid: Mask

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.planes.shape[1], self.planes.shape[0]


def visible_view(image: Image) -> View:
    """HxW or HxWx3 of 8 or 16 bits -> its view."""
    planes = image if image.ndim == 3 else image[..., None]
    top = 255.0 if image.dtype == np.uint8 else max(float(image.max()), 1.0)
    levels = np.ascontiguousarray(planes, np.float32) * np.float32(255 / top)
    return View(levels, ~empty_rim(levels.max(2)))


def thermal_view(image: Image) -> View:
    """HxW or HxWx3 of any depth -> its view, stretched between its percentiles 0.1 and 99.9."""
    grey = as_grey(image)
    valid = valid_pixels(grey)
    if grey.dtype == np.uint8:
        valid &= ~empty_rim(grey.astype(np.float32))
    inside = grey[valid]
    levels = to_grey_levels(grey, robust_range([inside[None]])) if inside.size else np.zeros(grey.shape, np.float32)
    return View(levels[..., None], valid)


def empty_rim(grey: Grey) -> Mask:
    """Where a registered picture (HxW, 0 to 255) shows nothing: dark along its border, with a convex rest."""
    dark = (grey <= RIM_DARK).astype(np.uint8)
    _, parts = cv2.connectedComponents(dark, connectivity=4)
    border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    rim = np.isin(parts, np.unique(border[border > 0]))
    nothing = np.zeros(grey.shape, np.bool_)
    if np.count_nonzero(rim) < RIM_LEAST * rim.size or rim.all():
        return nothing
    contours, _ = cv2.findContours((~rim).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    rest = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(rest)
    if cv2.contourArea(rest) < CONVEX * cv2.contourArea(hull) or cv2.contourArea(hull) < 0.1 * rim.size:
        return nothing
    inside = cv2.fillPoly(np.zeros(grey.shape, np.uint8), [hull], 1)
    return cv2.dilate(1 - inside, np.ones((5, 5), np.uint8)) > 0


def warped(view: View, matrix: Matrix, size: tuple[int, int]) -> View:
    """The view seen through a 3x3 matrix from its pixels to those of a picture of ``size`` (width, height).

    Pixels are averaged first where the picture becomes smaller, so that nothing aliases.
    """
    shrink = np.sqrt(abs(float(np.linalg.det(matrix[:2, :2])))) / max(abs(float(matrix[2, 2])), 1e-12)
    planes: Grey = view.planes
    if shrink < 1:
        planes = cv2.GaussianBlur(planes, (0, 0), 0.5 / shrink).reshape(planes.shape)
    planes = cv2.warpPerspective(planes, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    valid = cv2.warpPerspective(view.valid.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
    return View(planes.reshape(size[1], size[0], -1), valid)


def orientation_field(view: View, smooth: float = 1.0) -> tuple[Field, Mask]:
    """Where edges run, as complex numbers of twice their angle: HxW complex64, and where they are known.

    The squared gradient (gx + i gy)^2 is summed over the planes and a Gaussian of ``smooth`` pixels: edges from dark to
    light and from light to dark give the same. Its length is brought to 0..1 by what is around it,
    w = m / (m + mean(m) + noise) for the gradient m, so that weak and strong edges count alike, and noise little.
    """
    planes: Grey = cv2.GaussianBlur(view.planes, (0, 0), smooth).reshape(view.planes.shape)
    squared = np.zeros(planes.shape[:2], np.complex64)
    for plane in np.moveaxis(planes, 2, 0):
        gradient = _gradient(plane)
        squared += gradient * gradient
    squared = _blurred(squared, smooth)
    known = (
        cv2.erode(
            view.valid.astype(np.uint8),
            np.ones((3, 3), np.uint8),
            iterations=max(1, round(2 * smooth)),
            borderType=cv2.BORDER_CONSTANT,
            borderValue=0,
        )
        > 0
    )
    length = np.abs(squared)
    strength = np.sqrt(length) * known
    around = (2 * (planes.shape[1] // SURROUNDINGS) + 1,) * 2
    mean = cv2.blur(strength, around) / np.maximum(cv2.blur(known.astype(np.float32), around), 1e-3)
    floor = NOISE * _noise(planes)
    field = squared / np.maximum(length, 1e-12) * (strength / (strength + mean + floor))
    return np.where(known, field, 0).astype(np.complex64), known


def motion_fields(views: Sequence[View], smooth: float = 1.5) -> list[tuple[Field, Mask]]:
    """Where something moves: for each view but the first, how much it differs from the one before, 0..1.

    What always changes (noise, water, leaves) is taken away as each pixel's mean over the views.
    """
    if len(views) < 3:
        return []
    moved = [
        cv2.GaussianBlur(np.abs(after.planes - before.planes).max(2), (0, 0), smooth)
        for before, after in pairwise(views)
    ]
    stack = np.stack(moved)
    level = np.median(stack, axis=0) + 2 * max(float(np.median(np.abs(stack - np.median(stack)))), 0.25)
    stack = np.clip(stack - level, 0, None)
    stack /= stack + 8
    stack -= stack.mean(0)
    known = np.logical_and.reduce([view.valid for view in views])
    return [(np.where(known, plane, 0).astype(np.complex64), known) for plane in stack]


def _gradient(plane: Grey) -> Field:
    across = cv2.Scharr(plane, cv2.CV_32F, 1, 0, scale=1 / 32)
    down = cv2.Scharr(plane, cv2.CV_32F, 0, 1, scale=1 / 32)
    return (across + 1j * down).astype(np.complex64)


def _blurred(field: Field, smooth: float) -> Field:
    real = cv2.GaussianBlur(np.ascontiguousarray(field.real), (0, 0), smooth)
    imaginary = cv2.GaussianBlur(np.ascontiguousarray(field.imag), (0, 0), smooth)
    return (real + 1j * imaginary).astype(np.complex64)


def _noise(planes: Grey) -> float:
    """Standard deviation of the noise that is left in the smoothed planes' gradient, at least a third of a level."""
    rough = [float(np.median(np.abs(cv2.Laplacian(plane, cv2.CV_32F)))) for plane in np.moveaxis(planes, 2, 0)]
    return max(float(np.mean(rough)) / 4, 0.33)
