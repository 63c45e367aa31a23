"""Objects drawn once and pasted many times: phases of movement, sizes, soft shadows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.synthetic.noise import Picture

Matrix = NDArray[np.float64]
LEVELS = 4
SHADOW_BORDER, SHADOW_STEP = 6, 4


@dataclass(frozen=True)
class Pose:
    """One phase of an object in several sizes, each half the one before.

    Attributes:
        colour: (H, W, 4) uint8, premultiplied BGR and opacity.
        heat: (H, W, 2) uint8, premultiplied thermal brightness and opacity.
        shadow: (H / 4 + 12, W / 4 + 12) uint8, the blurred silhouette with a border.
    """

    colour: tuple[Picture, ...]
    heat: tuple[Picture, ...]
    shadow: Picture

    @classmethod
    def of(cls, colour: Picture, heat: Picture) -> Pose:
        """Make the sizes of a drawing; the shadow is its blurred opacity at a quarter of the size."""
        colours, heats = [colour], [heat]
        for _ in range(LEVELS - 1):
            half = (max(colours[-1].shape[1] // 2, 1), max(colours[-1].shape[0] // 2, 1))
            colours.append(cv2.resize(colours[-1], half, interpolation=cv2.INTER_AREA))
            heats.append(cv2.resize(heats[-1], half, interpolation=cv2.INTER_AREA))
        small = np.pad(colours[2][..., 3], SHADOW_BORDER)
        return cls(tuple(colours), tuple(heats), cv2.GaussianBlur(small, (0, 0), 1.6))


@dataclass(frozen=True)
class Sprite:
    """An object in all its phases; a phase is drawn when it is first seen.

    Attributes:
        kind: class name ("person", "car", ...).
        painter: draws phase 0 .. phases - 1 of one cycle; always the same for the same phase.
        pivot: (x, y) in drawing pixels that stands on the ground.
        pixels_per_metre: size of the drawing.
        stride: metres travelled in one cycle, 0 for objects that do not change.
    """

    kind: str
    painter: Callable[[int], Pose]
    phases: int
    pivot: tuple[float, float]
    pixels_per_metre: float
    stride: float = 0.0
    _drawn: dict[int, Pose] = field(default_factory=dict, repr=False, compare=False)

    def pose(self, travelled: float) -> Pose:
        """The phase after ``travelled`` metres."""
        phase = int(travelled / self.stride * self.phases) % self.phases if self.stride > 0 else 0
        if phase not in self._drawn:
            self._drawn[phase] = self.painter(phase)
        return self._drawn[phase]

    def placed(self, x: float, y: float, scale: float, flip: bool = False, tilt: float = 0.0) -> Matrix:
        """2x3 matrix from drawing pixels to picture pixels: pivot to (x, y), ``scale`` picture pixels per metre.

        Args:
            flip: mirror left and right.
            tilt: turn about the pivot, radians.
        """
        factor = scale / self.pixels_per_metre
        cos, sin = factor * np.cos(tilt), factor * np.sin(tilt)
        linear = np.array([[-cos if flip else cos, -sin], [-sin if flip else sin, cos]])
        return np.column_stack([linear, np.array([x, y]) - linear @ np.asarray(self.pivot)])


def level_for(matrix: Matrix, levels: int) -> int:
    """The size of drawing (of ``levels`` sizes) that is shrunk by less than two."""
    area = abs(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0])
    return min(max(math.floor(-0.5 * math.log2(max(area, 1e-12))), 0), levels - 1)


def warp(levels: tuple[Picture, ...], matrix: Matrix, width: int, height: int) -> tuple[Picture, int, int] | None:
    """Draw the part of an object that lies inside a picture.

    Returns:
        The pixels, and the x and y of their top-left corner; None where nothing is inside.
    """
    level = level_for(matrix, len(levels))
    source = levels[level]
    # Pixel centres: a pixel of level n stands for 2^n pixels, whose middle lies (2^n - 1) / 2 further on.
    step = levels[0].shape[1] / source.shape[1], levels[0].shape[0] / source.shape[0]
    linear = matrix[:, :2] * np.array(step)
    shift = matrix[:, 2] + matrix[:, :2] @ ((np.array(step) - 1) / 2)
    rows, columns = source.shape[:2]
    corners = np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]]) - 0.5
    reached = corners @ linear.T + shift
    left, top = np.maximum(np.floor(reached.min(0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(reached.max(0)).astype(int) + 1, (width, height))
    if left >= right or top >= bottom:
        return None
    local = np.column_stack([linear, shift - (left, top)])
    patch = cv2.warpAffine(source, local, (int(right - left), int(bottom - top)), flags=cv2.INTER_LINEAR)
    return patch, int(left), int(top)


def paste(image: Picture, patch: Picture, left: int, top: int) -> None:
    """Lay premultiplied pixels over ``image`` in place; the patch's last channel is its opacity."""
    height, width = patch.shape[:2]
    view = image[top : top + height, left : left + width]
    channels = 1 if image.ndim == 2 else image.shape[2]
    keep = cv2.bitwise_not(cv2.extractChannel(patch, patch.shape[2] - 1))
    if channels == 1:
        front = cv2.extractChannel(patch, 0)
    else:
        front, keep = np.ascontiguousarray(patch[..., :channels]), cv2.merge([keep] * channels)
    view[:] = cv2.add(cv2.multiply(view, keep, scale=1 / 255), front)


def cast_shadow(
    image: Picture, pose: Pose, matrix: Matrix, foot_y: float, sun: tuple[float, float], strength: float
) -> None:
    """Darken the ground in place where the object's silhouette falls.

    Args:
        matrix: the object's own drawing-to-picture matrix.
        foot_y: picture row of the object's pivot.
        sun: (shear, flat): what is h above the ground falls ``shear * h`` to the side and ``flat * h`` up the picture.
        strength: 0 (none) to 1 (black).
    """
    shear, flat = sun
    fold = np.array([[1, -shear, shear * foot_y], [0, flat, (1 - flat) * foot_y], [0, 0, 1]])
    small = np.array(
        [
            [SHADOW_STEP, 0, offset := (SHADOW_STEP - 1) / 2 - SHADOW_STEP * SHADOW_BORDER],
            [0, SHADOW_STEP, offset],
            [0, 0, 1],
        ]
    )
    drawn = warp((pose.shadow,), (fold @ np.vstack([matrix, [0, 0, 1]]) @ small)[:2], image.shape[1], image.shape[0])
    if drawn is None:
        return
    patch, left, top = drawn
    view = image[top : top + patch.shape[0], left : left + patch.shape[1]]
    keep = cv2.convertScaleAbs(patch, alpha=-strength, beta=255.0)
    view[:] = cv2.multiply(view, cv2.merge([keep] * 3), scale=1 / 255)
