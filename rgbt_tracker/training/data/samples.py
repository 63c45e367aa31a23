"""One training pair: windows cut, augmented, corrupted, with what the head should answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.training.augmentation import photometric
from rgbt_tracker.training.augmentation.background import replace_background
from rgbt_tracker.training.augmentation.corruptions import corrupt
from rgbt_tracker.training.augmentation.distractors import occlude, paste_distractor
from rgbt_tracker.training.augmentation.pseudo_thermal import from_silhouette, from_tone_curve, pseudo_visible
from rgbt_tracker.training.data.sources import Sources
from rgbt_tracker.training.data.targets import Grid, Target
from rgbt_tracker.training.geometry import Corners, Window, jitter, moved
from rgbt_tracker.training.material import Augmentation
from rgbt_tracker.training.recipe import Recipe
from rgbt_tracker.training.views import Image, TargetView

RGB, IR = "rgb", "ir"
SILHOUETTE = 0.6
"""Share of the thermal views made from visible ones that give the target a temperature, where its mask is known."""
OUTLINED = 4
"""Tries to find one whose silhouette is known, for crossing the target's way."""


@dataclass(frozen=True)
class Sample:
    """One pair of K modalities.

    Attributes:
        template, search: (K, S, S, 3) uint8 BGR, in the order rgb, ir when K = 2.
        target: what the head should answer.
        negative: the search region does not show the template's target.
        sees: (K,) bool, which modalities show what ``target`` says; the others are corrupted.
    """

    template: NDArray[np.uint8]
    search: NDArray[np.uint8]
    target: Target
    negative: bool
    sees: NDArray[np.bool_]


@dataclass(frozen=True)
class Sides:
    """Template and search side in pixels."""

    template: int
    search: int


class SampleMaker:
    """Makes the sample of a random generator: the same generator state, the same sample."""

    def __init__(self, recipe: Recipe, sources: Sources, grid: Grid, sides: Sides) -> None:
        self._recipe, self.sources, self._grid, self._sides = recipe, sources, grid, sides

    def make(self, rng: np.random.Generator, paired: bool) -> Sample:
        """Draw one sample; of both modalities when ``paired``, else of either."""
        augment = self._recipe.augment
        negative = bool(rng.random() < self._recipe.data.negatives)
        pair = self.sources.pair(rng, negative)
        if augment.background and rng.random() < augment.background:
            pair = replace_background(rng, pair, self.sources.background(rng))
        flip = bool(rng.random() < augment.flip)
        windows = (
            jitter(rng, pair[0].box, self._sides.template, augment.template, flip),
            jitter(rng, pair[1].box, self._sides.search, augment.search, flip),
        )
        corners = windows[1].corners(pair[1].box)
        if paired:
            names = [RGB, IR]
        else:
            seeing = [view.images.keys() - {view.blind} for view in pair]
            shared = sorted(seeing[0] & seeing[1]) or sorted(seeing[1])
            names = [shared[int(rng.integers(len(shared)))]]
        images = self._images(rng, pair, windows, names)
        searches = self._obstruct(rng, [search for _, search in images], names, corners)
        images = [(template, search) for (template, _), search in zip(images, searches, strict=True)]
        images = [self._photometric(rng, name, *both) for name, both in zip(names, images, strict=True)]
        sees = np.ones(len(names), bool)
        if paired:
            images, sees = self._corrupt(rng, images, pair, names)
        make_target = self._grid.negative if negative else self._grid.positive
        target = make_target(corners, self._recipe.targets, rng)
        templates, searches = (list(both) for both in zip(*images, strict=True))
        return Sample(np.stack(templates), np.stack(searches), target, negative, sees)

    def _images(
        self,
        rng: np.random.Generator,
        views: tuple[TargetView, TargetView],
        windows: tuple[Window, Window],
        names: list[str],
    ) -> list[tuple[Image, Image]]:
        """Template and search image a modality, with what both share: misalignment, polarity, kind of camera."""
        images = []
        for name in names:
            offset = np.zeros(2)
            if name == IR and len(names) == 2:
                offset = rng.uniform(-1, 1, 2) * self._recipe.augment.misalignment
            seed = int(rng.integers(1 << 62))
            pair = [
                _cut(np.random.default_rng(seed), view, moved(window, *offset), name, self._recipe.augment)
                for view, window in zip(views, windows, strict=True)
            ]
            images.append((pair[0], pair[1]))
        return images

    def _obstruct(
        self, rng: np.random.Generator, searches: list[Image], names: list[str], corners: Corners
    ) -> list[Image]:
        """Another object beside the target, something in front of it; at the same place in all modalities."""
        augment = self._recipe.augment
        if rng.random() < augment.distractor:
            other = self.sources.distractor(rng)
            crossing = augment.crossing > 0 and rng.random() < augment.crossing
            for _ in range(OUTLINED if crossing else 0):
                # An outline matters more where two bodies overlap than where they stand apart.
                other = other if other is not None and other.mask is not None else self.sources.distractor(rng)
            if other is not None:
                searches = paste_distractor(rng, searches, names, corners, other, crossing)
        if rng.random() < augment.occlusion:
            searches = occlude(rng, searches, corners)
        return searches

    def _photometric(self, rng: np.random.Generator, name: str, template: Image, search: Image) -> tuple[Image, Image]:
        """Independent changes of the two images: brightness, colour, blur, noise."""
        augment = self._recipe.augment
        pair = []
        for image, blur in ((template, augment.template.blur), (search, augment.search.blur)):
            if rng.random() < augment.brightness:
                image = photometric.brightness(rng, image, tint=0.12 if name == RGB else 0.0)
            if rng.random() < augment.colour and name == RGB:
                image = photometric.pca_colour(rng, image)
            if rng.random() < blur:
                image = photometric.blur(rng, image)
            if rng.random() < augment.noise:
                image = photometric.noise(rng, image)
            pair.append(image)
        return pair[0], pair[1]

    def _corrupt(
        self,
        rng: np.random.Generator,
        images: list[tuple[Image, Image]],
        views: tuple[TargetView, TargetView],
        names: list[str],
    ) -> tuple[list[tuple[Image, Image]], NDArray[np.bool_]]:
        """With some probability corrupt one of the two modalities, or leave it out, never the only one that sees; and
        which of them see the target."""
        augment = self._recipe.augment
        chance, chosen = rng.random(), int(rng.integers(len(names)))
        if views[1].blind is not None:
            chosen = names.index(views[1].blind)
        template, search = images[chosen]
        if chance < augment.modality_dropout:
            template, search = np.zeros_like(template), np.zeros_like(search)
        elif chance < augment.modality_dropout + augment.corruption:
            if rng.random() < 0.15:
                search = self._frozen(rng, views[0], names[chosen])
            else:
                template, search = corrupt(rng, names[chosen], template, search)
        else:
            return images, np.array([name != views[1].blind for name in names])
        return [*images[:chosen], (template, search), *images[chosen + 1 :]], np.arange(len(names)) != chosen

    def _frozen(self, rng: np.random.Generator, view: TargetView, name: str) -> Image:
        """A frozen camera: an earlier frame, with the target somewhere else."""
        away = jitter(rng, view.box, self._sides.search, self._recipe.augment.search)
        reach = self._sides.search / 3
        return _render(rng, view, moved(away, *rng.uniform(-reach, reach, 2)), name)


def _render(rng: np.random.Generator, view: TargetView, window: Window, name: str) -> Image:
    """The window of one modality; where the view lacks it, made from the other one."""
    if name in view.images:
        return window.cut(view.images[name])
    other = window.cut(next(iter(view.images.values())))
    return _pseudo_thermal(rng, view, window, other) if name == IR else pseudo_visible(rng, other)


def _pseudo_thermal(rng: np.random.Generator, view: TargetView, window: Window, image: Image) -> Image:
    """A visible image as a thermal one; with a temperature for the target mostly, where its mask is known."""
    if view.mask is not None and rng.random() < SILHOUETTE:
        return from_silhouette(rng, image, window.cut(view.mask))
    return from_tone_curve(rng, image)


def _cut(rng: np.random.Generator, view: TargetView, window: Window, name: str, augment: Augmentation) -> Image:
    """A modality's image with the changes that template and search share; both get generators of the same seed."""
    choice = rng.random(3)
    image = _render(rng, view, window, name)
    if name == RGB and choice[0] < augment.pseudo_thermal:
        return _pseudo_thermal(rng, view, window, image)
    if choice[1] < augment.grey:
        image = photometric.grey(image)
    return 255 - image if choice[2] < augment.invert else image
