"""What every tracker here does: take the first frame and its box, then answer every further frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgbt_tracker.boxes import Box


@dataclass(frozen=True)
class Result:
    """One frame's answer.

    Attributes:
        box: x, y, w, h in px of the visible image (of the thermal one while there was no other), 0-based.
        score: the head's probability that the box holds the target, 0..1; 0 where there was no picture to look at.
        lost: the score is below ``tracking.lost_below``.
        weights: under reliability-aware fusion, the weight of each branch (the modalities, then their joint fusion); 0
            for a camera that was not there.
        maps: with ``record_maps``, level name -> (K, h, w) share of each modality over the search region
            ``search_box``; otherwise None.
        search_box: x, y, w, h of the square that was searched.
        cameras: whose pictures were used, of "rgb" and "ir"; empty where a tracker does not tell.
    """

    box: Box
    score: float
    lost: bool = False
    weights: tuple[float, ...] | None = None
    maps: dict[str, NDArray[np.float32]] | None = None
    search_box: Box | None = None
    cameras: tuple[str, ...] = ()


class SingleObjectTracker(Protocol):
    """A tracker of one target; `rgbt_tracker.tracking.tracker.Tracker` is ours.

    Images are HxWx3 or HxW, BGR, or None for a camera that the tracker does not use or that has no picture of this
    frame; boxes are x, y, w, h in px.
    """

    def initialize(self, rgb: ArrayLike | None, ir: ArrayLike | None, box: ArrayLike) -> None:
        """Learn the target from its first frame."""
        ...

    def update(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> Result:
        """Find the target in the next frame."""
        ...
