"""Drawing pairs of shots: a template's and a search region's, of one target or, for negatives, of two."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.augmentation import copy_paste as pasted
from rgbt_tracker.training.augmentation import objects
from rgbt_tracker.training.augmentation.photometric import three_channels
from rgbt_tracker.training.data.clips import Box, Clip, Crop, Image, ImageCache, Moment, read_clips
from rgbt_tracker.training.recipe import Data, Source

OBJECTS = 0.8
"""Share of segmented objects where a folder of photographs has masks; random shapes are the rest."""


@dataclass(frozen=True)
class Shot:
    """One target at one moment, as crops: ``images`` maps "rgb" and/or "ir" to HxWx3 uint8 BGR (read only).

    ``box`` (x, y, w, h), edges in crop pixels, is the visible one where both cameras have one. ``mask`` (HxW,
    0..255) is the target's silhouette in the visible crop, None where it is not known.
    """

    images: dict[str, Image]
    box: Box
    mask: Image | None = None


class ClipSource:
    """Clips of one crop set; ``draw`` gives two moments of one of them."""

    def __init__(self, source: Source, cache: ImageCache, max_gap: int) -> None:
        self.clips = read_clips(source)
        self.weight = source.weight
        sizes = np.array([len(clip.moments) for clip in self.clips], float) ** source.balance
        self._edges = np.cumsum(sizes / sizes.sum())
        self._cache, self._max_gap = cache, max_gap
        self._masks = _mask_files(self.clips, source) if source.masks else {}

    def draw(self, rng: np.random.Generator) -> tuple[Shot, Shot]:
        clip = self._clip(rng)
        first = int(rng.integers(len(clip.moments)))
        near = clip.near(first, self._max_gap)
        second = near[int(rng.integers(len(near)))]
        return self._shot(clip.moments[first]), self._shot(clip.moments[second])

    def one(self, rng: np.random.Generator) -> Shot:
        """A single shot, for negatives and distractors."""
        moments = self._clip(rng).moments
        return self._shot(moments[int(rng.integers(len(moments)))])

    def files(self) -> list[Path]:
        """All pictures of this source."""
        crops = [crop.file for clip in self.clips for moment in clip.moments for crop in moment.crops.values()]
        return crops + list(self._masks.values())

    def _clip(self, rng: np.random.Generator) -> Clip:
        return self.clips[min(int(np.searchsorted(self._edges, rng.random())), len(self.clips) - 1)]

    def _shot(self, moment: Moment) -> Shot:
        images = {name: three_channels(self._cache.read(crop.file)) for name, crop in moment.crops.items()}
        crop = moment.crops.get("rgb") or moment.crops["ir"]
        return Shot(images, crop.box, self._mask(crop))

    def _mask(self, crop: Crop) -> Image | None:
        path = self._masks.get(crop.file)
        mask = self._cache.read(path) if path is not None else None
        return mask if mask is not None and mask.any() else None


def _mask_files(clips: list[Clip], source: Source) -> dict[Path, Path]:
    """The mask of each crop that has one.

    Raises:
        UserError: none of them has.
    """
    assert source.crops is not None and source.masks is not None
    files = [crop.file for clip in clips for moment in clip.moments for crop in moment.crops.values()]
    masks = {file: source.masks / file.relative_to(source.crops).with_suffix(".png") for file in files}
    found = {file: mask for file, mask in masks.items() if mask.is_file()}
    if not found:
        raise UserError(f"No mask of a crop of '{source.crops}' in '{source.masks}'; make them with 'rgbt data masks'.")
    return found


class PhotoSource:
    """Pasted targets from a folder of photographs: random shapes and, where it has ``masks``, segmented objects."""

    def __init__(self, photos: Path, masks: Path | None, weight: float, cache: ImageCache) -> None:
        self.photos = pasted.list_photos(photos)
        self.objects = objects.list_objects(self.photos, masks) if masks else []
        self.weight = weight
        self._cache = cache

    def draw(self, rng: np.random.Generator) -> tuple[Shot, Shot]:
        if self.objects and rng.random() < OBJECTS:
            first, second = objects.draw(rng, self.objects, self.photos, self._cache)
        else:
            first, second = pasted.paste(rng, self.photos, self._cache)
        return Shot(first.images, first.box, first.mask), Shot(second.images, second.box, second.mask)

    def one(self, rng: np.random.Generator) -> Shot:
        return self.draw(rng)[0]

    def files(self) -> list[Path]:
        """All pictures of this source."""
        return self.photos + [item.mask for item in self.objects]


class Pool:
    """All sources of a recipe, drawn from in proportion to their weights."""

    def __init__(self, data: Data) -> None:
        cache = self._cache = ImageCache(data.cache_gb)
        self.sources: list[ClipSource | PhotoSource] = []
        for source in data.sources:
            if source.photos is not None:
                self.sources.append(PhotoSource(source.photos, source.masks, source.weight, cache))
            else:
                self.sources.append(ClipSource(source, cache, data.max_gap))
        weights = np.array([source.weight for source in self.sources])
        self._edges: NDArray[np.float64] = np.cumsum(weights / weights.sum())
        self._clips = [source for source in self.sources if isinstance(source, ClipSource)]
        self._photos = [source for source in self.sources if isinstance(source, PhotoSource)]

    def source(self, rng: np.random.Generator) -> ClipSource | PhotoSource:
        return self.sources[min(int(np.searchsorted(self._edges, rng.random())), len(self.sources) - 1)]

    def pair(self, rng: np.random.Generator, negative: bool) -> tuple[Shot, Shot]:
        """Template and search shot; of two targets, mostly of one source, when ``negative``."""
        source = self.source(rng)
        template, search = source.draw(rng)
        if not negative:
            return template, search
        other = source if rng.random() < 0.5 else self.source(rng)
        return other.one(rng), search

    def background(self, rng: np.random.Generator) -> Image:
        """A photograph, or where the recipe has none a crop of some target."""
        if not self._photos:
            return next(iter(self._clips[int(rng.integers(len(self._clips)))].one(rng).images.values()))
        photos = self._photos[int(rng.integers(len(self._photos)))].photos
        return three_channels(self._cache.read(photos[int(rng.integers(len(photos)))]))

    def preload(self, threads: int) -> None:
        """Read what the cache has room for, before processes are forked that share it."""

        def read(file: Path) -> None:
            if not self._cache.full:
                self._cache.read(file)

        with ThreadPoolExecutor(threads) as executor:
            deque(executor.map(read, [file for source in self.sources for file in source.files()]), 0)

    def distractor(self, rng: np.random.Generator) -> Shot | None:
        """A shot of any other target, from a crop set."""
        if not self._clips:
            return None
        return self._clips[int(rng.integers(len(self._clips)))].one(rng)
