"""The course of one target through a sequence: what a tracker answered in every frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgbt_tracker.results.region_overlap import Region
from rgbt_tracker.results.regions import region_to_box

Array = NDArray[np.float64]
# The VOT toolkits' codes of special frames; a frame that holds a region is TRACKED.
UNKNOWN, INITIALISED, FAILED, TRACKED = 0, 1, 2, -1


def _unknown() -> Array:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One run of a tracker over a sequence of N frames, or the annotation of one.

    Attributes:
        regions: N regions in pixels, 0-based: (4,) rectangles x, y, w, h or (2 n,) polygons x1, y1, ...; None where
            there is none.
        codes: (N,) TRACKED where there is a region; else INITIALISED (the tracker was started here), FAILED (it lost
            the target, and is started again later) or UNKNOWN (it was not asked, it gave no box, the target is absent).
        scores: (N,) the tracker's own confidence, NaN where it is not known.
        seconds: (N,) time in the tracker, NaN where it is not known.
        maps: the file with its fusion weight maps (`rgbt_tracker.results.maps`), or None.
        frames: the file that says which cameras each frame had (`rgbt_tracker.results.read.read_frames`), or None.
        targets: the file with the tracks of all targets, where it is the first of several (`rgbt_tracker.results.mot`).
        source: the file it was read from, for messages, or None.
    """

    regions: list[Region | None]
    codes: NDArray[np.int64]
    scores: Array = field(default_factory=_unknown)
    seconds: Array = field(default_factory=_unknown)
    maps: Path | None = None
    frames: Path | None = None
    targets: Path | None = None
    source: Path | None = None

    def __post_init__(self) -> None:
        for name in ("scores", "seconds"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(len(self.codes), np.nan))

    @classmethod
    def of_boxes(cls, boxes: ArrayLike, scores: ArrayLike = (), seconds: ArrayLike = ()) -> Trajectory:
        """The trajectory of (N, 4) boxes x, y, w, h or (N, 2 n) polygons; a row with NaN is UNKNOWN."""
        rows = np.asarray(boxes, np.float64)
        known = [not np.isnan(row).any() for row in rows]
        regions = [row if there else None for row, there in zip(rows, known, strict=True)]
        codes = np.where(known, TRACKED, UNKNOWN).astype(np.int64)
        return cls(regions, codes, np.asarray(scores, np.float64), np.asarray(seconds, np.float64))

    @classmethod
    def of_regions(cls, items: Iterable[Region | int]) -> Trajectory:
        """The trajectory of regions and codes in frame order."""
        given = list(items)
        codes = np.array([int(item) if np.ndim(item) == 0 else TRACKED for item in given], dtype=np.int64)
        return cls([None if np.ndim(item) == 0 else np.asarray(item, np.float64) for item in given], codes)

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def boxes(self) -> Array:
        """(N, 4) upright boxes x, y, w, h of the regions (`region_to_box`); NaN where there is none."""
        boxes = [(np.nan,) * 4 if region is None else region_to_box(region) for region in self.regions]
        return np.array(boxes, np.float64).reshape(-1, 4)

    @property
    def rows(self) -> Array:
        """(N, 4) or (N, 2 n): the regions as they are, which must be of one form; NaN where there is none."""
        width = next((len(region) for region in self.regions if region is not None), 4)
        rows = [np.full(width, np.nan) if region is None else region for region in self.regions]
        return np.array(rows, np.float64).reshape(-1, width)

    @property
    def restarted(self) -> bool:
        """Whether it is of VOT's reset-based protocol, whose special frames say where the tracker was started."""
        return bool(np.isin(self.codes, (INITIALISED, FAILED)).any())
