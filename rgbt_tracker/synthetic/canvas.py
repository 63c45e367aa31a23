"""Drawing of one object into colour, temperature and opacity at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgbt_tracker.synthetic.noise import Plane, to_bytes

Colour = tuple[float, float, float]
Pattern = Callable[[Plane, Plane], Plane]
Point = tuple[float, float]


@dataclass(frozen=True)
class Paint:
    """What a part is made of.

    Attributes:
        colour: BGR, 0..255.
        heat: brightness in a white-hot thermal image, 0..255.
        second, pattern: the part is ``second`` where ``pattern(along, across)`` is 1; both coordinates lie in [0, 1].
        gloss: strength of the highlight.
    """

    colour: Colour
    heat: float
    second: Colour | None = None
    pattern: Pattern | None = None
    gloss: float = 0.0

    def darker(self, factor: float) -> Paint:
        """The same paint in the shade, equally warm."""
        second = None if self.second is None else scaled(self.second, factor)
        return Paint(scaled(self.colour, factor), self.heat, second, self.pattern, self.gloss)


def scaled(colour: Colour, factor: float) -> Colour:
    """A colour times ``factor``."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


class Canvas:
    """A transparent picture; later parts cover earlier ones. Coordinates are pixels, y down.

    Attributes:
        colour: (H, W, 3) float32, BGR times opacity; heat: (H, W) float32 times opacity; alpha: (H, W) in [0, 1].
    """

    def __init__(self, height: int, width: int) -> None:
        self.colour = np.zeros((height, width, 3), np.float32)
        self.heat = np.zeros((height, width), np.float32)
        self.alpha = np.zeros((height, width), np.float32)

    def capsule(self, a: Point, b: Point, ra: float, rb: float, paint: Paint) -> None:
        """A limb from ``a`` to ``b`` with radii ``ra`` and ``rb``, lit from above left like a round body."""
        reach = max(ra, rb) + 1
        rows, columns = self._window(
            min(a[0], b[0]) - reach, min(a[1], b[1]) - reach, max(a[0], b[0]) + reach, max(a[1], b[1]) + reach
        )
        y, x = _grid(rows, columns)
        dx, dy = b[0] - a[0], b[1] - a[1]
        along = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / max(dx * dx + dy * dy, 1e-6), 0, 1)
        radius = ra + (rb - ra) * along
        nx, ny = (x - a[0] - along * dx) / radius, (y - a[1] - along * dy) / radius
        distance = np.hypot(nx, ny)
        facing = np.sqrt(np.maximum(1 - distance**2, 0))
        shade = 0.60 + 0.36 * facing - 0.16 * nx - 0.12 * ny + paint.gloss * np.maximum(facing - 0.8, 0)
        across = (nx * -dy + ny * dx) / max(float(np.hypot(dx, dy)), 1e-6) / 2 + 0.5
        self._put(
            rows,
            columns,
            np.clip((1 - distance) * radius + 0.5, 0, 1),
            paint,
            along,
            across,
            shade,
            0.88 + 0.12 * facing,
        )

    def polygon(self, points: ArrayLike, paint: Paint, top: float = 1.1, bottom: float = 0.75) -> None:
        """A flat part; its brightness goes from ``top`` to ``bottom`` times the paint's colour."""
        corners = np.asarray(points, np.float32).reshape(-1, 2)
        (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
        mask = np.zeros(self.alpha.shape, np.uint8)
        cv2.fillPoly(mask, [np.rint(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        self._flat(mask, (float(x0), float(y0), float(x1), float(y1)), paint, top, bottom)

    def stroke(self, points: ArrayLike, width: float, paint: Paint, closed: bool = False) -> None:
        """A line through the points, ``width`` pixels wide."""
        corners = np.asarray(points, np.float32).reshape(-1, 2)
        mask = np.zeros(self.alpha.shape, np.uint8)
        cv2.polylines(mask, [np.rint(corners * 16).astype(np.int32)], closed, 255, max(1, round(width)), cv2.LINE_AA, 4)
        (x0, y0), (x1, y1) = corners.min(0) - width, corners.max(0) + width
        self._flat(mask, (float(x0), float(y0), float(x1), float(y1)), paint, 1.05, 0.9)

    def roughen(self, noise: Plane, colour: float, heat: float) -> None:
        """Multiply colour and heat by noise: 1 +- ``colour`` / 2 and 1 +- ``heat`` / 2."""
        self.colour *= 1 + colour * (noise[..., None] - 0.5)
        self.heat *= 1 + heat * (noise - 0.5)

    def finish(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return premultiplied (H, W, 4) BGRA and (H, W, 2) heat and opacity, uint8."""
        alpha = self.alpha * 255
        limit = alpha[..., None]
        colour = np.minimum(np.dstack([self.colour, alpha]), limit)
        heat = np.minimum(np.dstack([self.heat, alpha]), limit)
        return to_bytes(colour), to_bytes(heat)

    def _window(self, x0: float, y0: float, x1: float, y1: float) -> tuple[slice, slice]:
        height, width = self.alpha.shape
        left, top = min(max(int(x0), 0), width - 1), min(max(int(y0), 0), height - 1)
        return slice(top, max(min(int(y1) + 2, height), top + 1)), slice(left, max(min(int(x1) + 2, width), left + 1))

    def _flat(
        self,
        mask: NDArray[np.uint8],
        bounds: tuple[float, float, float, float],
        paint: Paint,
        top: float,
        bottom: float,
    ) -> None:
        rows, columns = self._window(bounds[0] - 1, bounds[1] - 1, bounds[2] + 1, bounds[3] + 1)
        y, x = (np.broadcast_to(axis, mask[rows, columns].shape) for axis in _grid(rows, columns))
        along = np.clip((y - bounds[1]) / max(bounds[3] - bounds[1], 1), 0, 1)
        across = np.clip((x - bounds[0]) / max(bounds[2] - bounds[0], 1), 0, 1)
        shade = top + (bottom - top) * along
        self._put(
            rows, columns, mask[rows, columns].astype(np.float32) / 255, paint, along, across, shade, 0.9 + 0.1 * shade
        )

    def _put(
        self,
        rows: slice,
        columns: slice,
        cover: Plane,
        paint: Paint,
        along: Plane,
        across: Plane,
        shade: Plane,
        heat: Plane,
    ) -> None:
        """Lay a part over what is there: out = part cover + there (1 - cover)."""
        base = np.asarray(paint.colour, np.float32) * np.ones((*cover.shape, 1), np.float32)
        if paint.pattern is not None and paint.second is not None:
            base += paint.pattern(along, across)[..., None] * (np.asarray(paint.second, np.float32) - base)
        keep = 1 - cover
        lit = np.clip(base * shade[..., None], 0, 255)
        self.colour[rows, columns] = self.colour[rows, columns] * keep[..., None] + lit * cover[..., None]
        self.heat[rows, columns] = self.heat[rows, columns] * keep + np.clip(paint.heat * heat, 0, 255) * cover
        self.alpha[rows, columns] = self.alpha[rows, columns] * keep + cover


def _grid(rows: slice, columns: slice) -> tuple[Plane, Plane]:
    """Coordinates y (H, 1) and x (1, W) of a window."""
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
    return y, np.arange(columns.start, columns.stop, dtype=np.float32)[None]


def stripes(count: float, sharp: float = 4.0) -> Pattern:
    """Bands across a part."""
    return lambda along, across: np.clip(0.5 + sharp * np.sin(2 * np.pi * count * along), 0, 1)


def plaid(count: float) -> Pattern:
    """Squares in two directions."""

    def weights(along: Plane, across: Plane) -> Plane:
        bands = np.sin(2 * np.pi * count * along) + np.sin(2 * np.pi * count * across)
        return np.clip(0.5 + 2 * bands, 0, 1)

    return weights


def halves(at: float) -> Pattern:
    """The second colour below ``at``."""
    return lambda along, across: (along > at).astype(np.float32)
