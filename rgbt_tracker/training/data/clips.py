"""Clips of target-centred crops, and the pictures of them that are kept in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.data.crop_set import CropEntry, CropPair, CropSet, paired
from rgbt_tracker.training.material import Source
from rgbt_tracker.training.pictures import read_picture
from rgbt_tracker.training.views import Image


@dataclass(frozen=True)
class Clip:
    """The crops of one target, by time. A still image is a clip of one instant."""

    name: str
    instants: tuple[CropPair, ...]

    def near(self, index: int, gap: int) -> list[int]:
        """Indices of the instants within ``gap`` frames of instant ``index``, itself included."""
        frame = self.instants[index].frame
        return [i for i, instant in enumerate(self.instants) if abs(instant.frame - frame) <= gap]


def read_clips(source: Source) -> list[Clip]:
    """Read the clips of a crop set that the source's filters leave, by name.

    Raises:
        UserError: the set is missing or broken, or nothing is left.
    """
    assert source.crops is not None
    wanted = [entry for entry in CropSet(source.crops) if _wanted(entry, source)]
    if not wanted:
        raise UserError(f"No crop of '{source.crops}' passes the filters modality and match.")
    return [Clip(name, tuple(instants)) for name, instants in sorted(paired(wanted).items())]


def _wanted(entry: CropEntry, source: Source) -> bool:
    return source.modality in (None, entry.modality) and (
        not source.match or any(text in entry.sequence or text in entry.source for text in source.match)
    )


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
        image = read_picture(path)
        with self._lock:
            if path not in self._images:
                self.full = image.nbytes > self._left
                if not self.full:
                    self._images[path] = image
                    self._left -= image.nbytes
        return image
