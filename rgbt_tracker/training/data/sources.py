"""Drawing pairs of views: a template's and a search region's, of one target or, for negatives, of two."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.augmentation.copy_paste import paste_shape
from rgbt_tracker.training.augmentation.copy_paste_objects import (
    Scene,
    SegmentedObject,
    in_front_of,
    passers,
    paste_object,
)
from rgbt_tracker.training.data.clips import Clip, ImageCache, read_clips
from rgbt_tracker.training.data.crop_set import CropEntry, CropPair
from rgbt_tracker.training.data.object_pairs import ObjectPair, by_group, read_object_pairs, shows_object
from rgbt_tracker.training.data.photos import list_objects, list_photos, list_scenes
from rgbt_tracker.training.material import Data, Source
from rgbt_tracker.training.pictures import three_channels
from rgbt_tracker.training.views import Image, TargetView

OBJECTS = 0.8
"""Share of segmented objects where a folder of photographs has masks; random shapes are the rest."""
OUTLINED = 0.7
"""Share of the pairs of objects whose outline is known."""
REAL = 0.7
"""Share of the objects that are put before real pairs of scenes, where there are photographs, too."""
CAMERAS = ("rgb", "ir")
TRIES = 8
"""Draws until an object is sharp enough."""


class ClipSource:
    """Clips of one crop set; ``draw`` gives two moments of one of them."""

    def __init__(self, source: Source, cache: ImageCache, max_gap: int) -> None:
        assert source.crops is not None
        self._folder = source.crops
        self.clips = read_clips(source)
        self.weight = source.weight
        sizes = np.array([len(clip.instants) for clip in self.clips], float) ** source.balance
        self._edges = np.cumsum(sizes / sizes.sum())
        self._cache, self._max_gap = cache, max_gap
        self._masks = _mask_files(self.clips, source) if source.masks else {}

    def draw(self, rng: np.random.Generator) -> tuple[TargetView, TargetView]:
        clip = self._clip(rng)
        first = int(rng.integers(len(clip.instants)))
        near = clip.near(first, self._max_gap)
        second = near[int(rng.integers(len(near)))]
        return self._view(clip.instants[first]), self._view(clip.instants[second])

    def one(self, rng: np.random.Generator) -> TargetView:
        """A single view, for negatives and distractors."""
        instants = self._clip(rng).instants
        return self._view(instants[int(rng.integers(len(instants)))])

    def files(self) -> list[Path]:
        """All pictures of this source."""
        return [self._folder / entry.file for entry in _entries(self.clips)] + list(self._masks.values())

    def _clip(self, rng: np.random.Generator) -> Clip:
        return self.clips[min(int(np.searchsorted(self._edges, rng.random())), len(self.clips) - 1)]

    def _view(self, instant: CropPair) -> TargetView:
        images = {
            name: three_channels(self._cache.read(self._folder / entry.file)) for name, entry in instant.crops.items()
        }
        entry = next(iter(instant.crops.values()))
        return TargetView(images, entry.box, self._mask(entry))

    def _mask(self, entry: CropEntry) -> Image | None:
        path = self._masks.get(entry.file)
        mask = self._cache.read(path) if path is not None else None
        return mask if mask is not None and mask.any() else None


def _entries(clips: list[Clip]) -> list[CropEntry]:
    return [entry for clip in clips for instant in clip.instants for entry in instant.crops.values()]


def _mask_files(clips: list[Clip], source: Source) -> dict[str, Path]:
    """The mask of each crop that has one, by the crop's file.

    Raises:
        UserError: none of them has.
    """
    assert source.masks is not None
    masks = {entry.file: source.masks / Path(entry.file).with_suffix(".png") for entry in _entries(clips)}
    found = {file: mask for file, mask in masks.items() if mask.is_file()}
    if not found:
        raise UserError(f"No mask of a crop of '{source.crops}' in '{source.masks}'; make them with 'rgbt data masks'.")
    return found


class PhotoSource:
    """Copy-paste from a folder of photographs: random shapes and, where it has ``masks``, segmented objects."""

    def __init__(self, photos: Path, masks: Path | None, weight: float, cache: ImageCache) -> None:
        # Target and background come from different ones.
        self.photos = list_photos(photos, 2)
        self.objects = list_objects(self.photos, masks) if masks else []
        self.weight = weight
        self._cache = cache

    def draw(self, rng: np.random.Generator) -> tuple[TargetView, TargetView]:
        if self.objects and rng.random() < OBJECTS:
            return paste_object(rng, self.objects, self.photos, self._cache.read)
        return paste_shape(rng, self.photos, self._cache.read)

    def one(self, rng: np.random.Generator) -> TargetView:
        return self.draw(rng)[0]

    def files(self) -> list[Path]:
        """All pictures of this source."""
        return self.photos + [item.mask for item in self.objects if item.mask is not None]


class ObjectSource:
    """Objects that two cameras saw, put before scenes that two cameras saw, or before photographs."""

    def __init__(self, source: Source, cache: ImageCache) -> None:
        assert source.objects is not None
        self._folder, self._cache, self._one_camera = source.objects, cache, source.one_camera
        groups = list(by_group(read_object_pairs(source.objects)).values())
        masks = _outlines(source.masks, groups, cache) if source.masks else {}
        # Those with a known outline and the others of each class and light.
        self._groups = [
            ([pair for pair in group if pair.file in masks], [pair for pair in group if pair.file not in masks])
            for group in groups
        ]
        self._masks = masks
        sizes = np.array([len(group) for group in groups], float) ** source.balance
        self._edges = np.cumsum(sizes / sizes.sum())
        self._scenes = list_scenes(source.scenes) if source.scenes else []
        self._photos = [Scene(photo) for photo in list_photos(source.photos, 1)] if source.photos else []
        self.weight = source.weight

    def draw(self, rng: np.random.Generator) -> tuple[TargetView, TargetView]:
        group = self._groups[min(int(np.searchsorted(self._edges, rng.random())), len(self._groups) - 1)]
        target = self._object(rng, group)
        others = [self._object(rng, group) for _ in range(passers(rng))]
        real = bool(self._scenes) and (not self._photos or rng.random() < REAL)
        scenes = self._scenes if real else self._photos
        scene = scenes[int(rng.integers(len(scenes)))]
        blind = CAMERAS[int(rng.integers(2))] if rng.random() < self._one_camera else None
        return in_front_of(rng, target, others, scene, self._cache.read, blind)

    def one(self, rng: np.random.Generator) -> TargetView:
        """A single view, for negatives."""
        return self.draw(rng)[0]

    def files(self) -> list[Path]:
        """All pictures of this source."""
        files = [path for group in self._groups for part in group for pair in part for path in self._paths(pair)]
        files += self._masks.values()
        for scene in self._scenes + self._photos:
            files += [scene.visible] if scene.thermal is None else [scene.visible, scene.thermal]
        return files

    def _paths(self, pair: ObjectPair) -> tuple[Path, Path]:
        return self._folder / "rgb" / pair.file, self._folder / "ir" / pair.file

    def _object(self, rng: np.random.Generator, group: tuple[list[ObjectPair], list[ObjectPair]]) -> SegmentedObject:
        """One of a class and light that is sharp enough, mostly one whose outline is known."""
        outlined, others = group
        for _ in range(TRIES):
            some = outlined if outlined and (not others or rng.random() < OUTLINED) else others
            pair = some[int(rng.integers(len(some)))]
            visible, thermal = self._paths(pair)
            if shows_object(self._cache.read(visible), self._cache.read(thermal)):
                break
        return SegmentedObject(visible, self._masks.get(pair.file), None, thermal=thermal, length=pair.length)


def _outlines(masks: Path, groups: list[list[ObjectPair]], cache: ImageCache) -> dict[str, Path]:
    """The masks that show an object, by the pair's file.

    Raises:
        UserError: none does.
    """
    files = [pair.file for group in groups for pair in group]
    there = {file: path for file in files if (path := (masks / "rgb" / file).with_suffix(".png")).is_file()}
    found = {file: path for file, path in there.items() if cache.read(path).any()}
    if not found:
        raise UserError(f"No mask of an object in '{masks}'; make them with 'rgbt data masks'.")
    return found


AnySource = ClipSource | PhotoSource | ObjectSource


class Sources:
    """All sources of a recipe, drawn from in proportion to their weights."""

    def __init__(self, data: Data) -> None:
        cache = self._cache = ImageCache(data.cache_gb)
        self.sources: list[AnySource] = []
        for source in data.sources:
            if source.objects is not None:
                self.sources.append(ObjectSource(source, cache))
            elif source.photos is not None:
                self.sources.append(PhotoSource(source.photos, source.masks, source.weight, cache))
            else:
                self.sources.append(ClipSource(source, cache, data.max_gap))
        weights = np.array([source.weight for source in self.sources])
        self._edges: NDArray[np.float64] = np.cumsum(weights / weights.sum())
        self._clips = [source for source in self.sources if isinstance(source, ClipSource)]
        self._photos = [source for source in self.sources if isinstance(source, PhotoSource)]

    def source(self, rng: np.random.Generator) -> AnySource:
        return self.sources[min(int(np.searchsorted(self._edges, rng.random())), len(self.sources) - 1)]

    def pair(self, rng: np.random.Generator, negative: bool) -> tuple[TargetView, TargetView]:
        """Template and search view; of two targets, mostly of one source, when ``negative``."""
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

    def distractor(self, rng: np.random.Generator) -> TargetView | None:
        """A view of any other target, from a crop set."""
        if not self._clips:
            return None
        return self._clips[int(rng.integers(len(self._clips)))].one(rng)
