"""Clips of target-centred crops: what training pairs are drawn from."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import read_image
from rgbt_tracker.training.data.crop_set import CropEntry, CropSet
from rgbt_tracker.training.recipe import Source

Image = NDArray[np.uint8]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Crop:
    """One crop: ``box`` is (x, y, w, h) in crop pixels, x and y of the left top edge."""

    file: Path
    modality: str
    box: Box


@dataclass(frozen=True)
class Moment:
    """All modalities of one target at one time; ``crops`` maps "rgb" and/or "ir" to the crop."""

    frame: int
    crops: dict[str, Crop]


@dataclass(frozen=True)
class Clip:
    """The moments of one target, by time. A still image is a clip of one moment."""

    name: str
    moments: tuple[Moment, ...]

    def near(self, index: int, gap: int) -> list[int]:
        """Indices of the moments within ``gap`` frames of moment ``index``, itself included."""
        frame = self.moments[index].frame
        return [i for i, moment in enumerate(self.moments) if abs(moment.frame - frame) <= gap]


def read_clips(source: Source) -> list[Clip]:
    """Read the clips of a crop set that the source's filters leave; crops of one sequence and frame are one moment.

    Raises:
        UserError: the set is missing or broken, or nothing is left.
    """
    assert source.crops is not None
    crop_set = CropSet(source.crops)
    wanted = [entry for entry in crop_set if _wanted(entry, source)]
    if not wanted:
        raise UserError(f"No crop of '{source.crops}' passes the filters modality, kind, match and exclude.")
    return group_clips(wanted, crop_set.path)


def _wanted(entry: CropEntry, source: Source) -> bool:
    return (
        source.modality in (None, entry.modality)
        and source.kind in (None, entry.kind)
        and (not source.match or any(text in entry.sequence or text in entry.source for text in source.match))
        and entry.sequence not in source.exclude
    )


def group_clips(entries: Iterable[CropEntry], folder: Path) -> list[Clip]:
    """Group crops by target and time, sorted by both."""
    clips: dict[str, dict[int, dict[str, Crop]]] = {}
    for entry in entries:
        crop = Crop(folder / entry.file, entry.modality, entry.box)
        clips.setdefault(entry.sequence, {}).setdefault(entry.frame, {})[entry.modality] = crop
    return [
        Clip(name, tuple(Moment(frame, moments[frame]) for frame in sorted(moments)))
        for name, moments in sorted(clips.items())
    ]


class ImageCache:
    """Decoded images kept in memory up to a budget; safe to use from several threads.

    What is cached never changes what is returned, only how fast. ``full``: the last new image found no room.
    """

    def __init__(self, gigabytes: float) -> None:
        self._left = int(gigabytes * 1e9)
        self.full = False
        self._images: dict[Path, Image] = {}
        self._lock = threading.Lock()

    def read(self, path: Path) -> Image:
        """Return the image as HxWx3 BGR or HxW grey uint8; callers must not write into it."""
        image = self._images.get(path)
        if image is not None:
            return image
        image = read_image(path, "crop", "make the set again")
        if image.dtype != np.uint8:
            raise UserError(f"Cannot read the crop '{path}' as an 8-bit image; make the set again.")
        with self._lock:
            if path not in self._images:
                self.full = image.nbytes > self._left
                if not self.full:
                    self._images[path] = image
                    self._left -= image.nbytes
        return image
