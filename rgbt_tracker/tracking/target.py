"""One target of the tracking loop: where it is, how it looks, and whether its place is known well enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.arrays import part
from rgbt_tracker.boxes import LARGEST, Box
from rgbt_tracker.config.schema import TrackingConfig
from rgbt_tracker.tracking.cameras import turned
from rgbt_tracker.tracking.scoring import Appearance

Point = tuple[float, float]
MIN_SIDE = 10.0
"""No tracked box becomes smaller than this, in px."""
CERTAIN = 0.8
"""Score from which on a camera may learn what the target looks like from where another one sees it."""
EARLY = 5
"""Frames after the one whose box was given in which it may learn that at any score: the target cannot be far."""


class Best(NamedTuple):
    """The chosen candidate: cx, cy, w, h in crop px from the crop's centre, its score and the penalty on its rank."""

    dx: float
    dy: float
    w: float
    h: float
    score: float
    penalty: float


def context_side(w: float, h: float, context: float) -> float:
    """Side of the square that a target of w x h px fills with its surroundings: sqrt((w + p)(h + p)), p the ``context``
    times w + h (SiamFC)."""
    pad = context * (w + h)
    return math.sqrt((w + pad) * (h + pad))


@dataclass
class Target:
    """What changes from frame to frame.

    Attributes:
        center, size: in px of the picture that boxes belong to; whole numbers are pixel centres.
        means: the channel means (3,) of the frame in which each camera learnt it.
        certain: whether its place is known well enough for another camera to learn it there.
        age: frames since its box was given.
        seen: how it looks.
    """

    center: Point
    size: Point
    means: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    certain: bool = True
    age: int = 0
    seen: Appearance = field(default_factory=Appearance)

    @property
    def box(self) -> Box:
        """x, y, w, h in px."""
        (cx, cy), (w, h) = self.center, self.size
        return cx - w / 2, cy - h / 2, w, h

    def context_side(self, context: float) -> float:
        """Side of its template square in image px, see `context_side`."""
        return context_side(*self.size, context)

    def turn(self, matrix: NDArray[np.float64]) -> None:
        """Go where a 3x3 matrix takes it, into the pixels of another picture."""
        cx, cy, w, h = turned(matrix, self.center, self.size)
        self.center, self.size = (cx, cy), (w, h)

    def move(self, best: Best, scale: float, picture: tuple[int, int], options: TrackingConfig) -> None:
        """Go to the candidate, with the size smoothed and the box kept in the picture.

        Args:
            scale: crop px per image px.
            picture: its width and height.
        """
        rate = best.penalty * best.score * options.lr
        (cx, cy), (w, h), (width, height) = self.center, self.size, picture
        w, h = w * (1 - rate) + best.w / scale * rate, h * (1 - rate) + best.h / scale * rate
        self.center = max(0.0, min(cx + best.dx / scale, width)), max(0.0, min(cy + best.dy / scale, height))
        self.size = max(MIN_SIDE, min(w, width)), max(MIN_SIDE, min(h, height))
        inside = 0 < self.center[0] < width and 0 < self.center[1] < height
        self.age += 1
        self.certain = (best.score >= CERTAIN or self.age <= EARLY) and inside

    def relocate(self, x: float, y: float, w: float, h: float) -> None:
        """Be at a box that was given, looking as before."""
        self.center, self.size, self.certain, self.age = (x + w / 2, y + h / 2), (w, h), True, 0

    def state(self) -> dict[str, NDArray[Any]]:
        """Where it is, for `restore`; how it looks is the scorer's."""
        place = {
            "target": np.array([*self.center, *self.size]),
            "certain": np.array(self.certain),
            "age": np.array(self.age),
        }
        return {**place, **{f"mean_{camera}": mean for camera, mean in self.means.items()}}

    def restore(self, state: Mapping[str, NDArray[Any]], picture: tuple[int, int]) -> None:
        """Be where `state` was called.

        Args:
            picture: width and height of the one that it was in.

        Raises:
            ValueError: it is no such state.
        """
        cx, cy, w, h = part(state, "target", (4,)).tolist()
        if not all(0 < side <= max(MIN_SIDE, LARGEST * whole) for side, whole in zip((w, h), picture, strict=True)):
            raise ValueError(f"a target of {w:g}x{h:g} px in a picture of {picture[0]}x{picture[1]}")
        self.center, self.size = (cx, cy), (w, h)
        self.certain, self.age = bool(part(state, "certain", ())), int(part(state, "age", (), least=0))
        means = {name for name in state if name.startswith("mean_")}
        self.means = {name.removeprefix("mean_"): part(state, name, (3,), least=0, most=255) for name in means}
