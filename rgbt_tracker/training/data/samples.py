"""One training pair: windows cut, augmented, degraded, with the anchors' target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.training.augmentation import corruptions as degradation
from rgbt_tracker.training.augmentation import photometric
from rgbt_tracker.training.augmentation.background import replaced
from rgbt_tracker.training.augmentation.distractors import occlude, paste_distractor
from rgbt_tracker.training.augmentation.photometric import from_afar
from rgbt_tracker.training.augmentation.pseudo_thermal import silhouette_view
from rgbt_tracker.training.data.clips import Image
from rgbt_tracker.training.data.geometry import Corners, Window, jitter, moved
from rgbt_tracker.training.data.pool import Pool, Shot
from rgbt_tracker.training.data.targets import AnchorGrid, Target, negative_target, positive_target
from rgbt_tracker.training.recipe import Augment, Recipe

RGB, IR = "rgb", "ir"
SILHOUETTE = 0.6
"""Share of the thermal views made from visible ones that give the target a temperature, where its mask is known."""
FARTHER = (1.5, 4.0)
"""Range of the factors by which a distant target has fewer pixels."""
OUTLINED = 4
"""Tries to find one whose silhouette is known, for crossing the target's way."""


@dataclass(frozen=True)
class Sample:
    """One pair of K modalities.

    Attributes:
        template, search: (K, S, S, 3) uint8 BGR, in the order rgb, ir when K = 2.
        target: what the head should answer.
        negative: the search region does not show the template's target.
        degraded: (K,) strength of the degradation of each modality's search region, 0 = none, 1 = blind.
    """

    template: NDArray[np.uint8]
    search: NDArray[np.uint8]
    target: Target
    negative: bool
    degraded: NDArray[np.float32]


@dataclass(frozen=True)
class Sides:
    """Template and search side in pixels."""

    template: int
    search: int


class SampleMaker:
    """Makes the sample of a random generator: the same generator state, the same sample."""

    def __init__(self, recipe: Recipe, pool: Pool, grid: AnchorGrid, sides: Sides) -> None:
        self._recipe, self.pool, self._grid, self._sides = recipe, pool, grid, sides

    def make(self, rng: np.random.Generator, paired: bool) -> Sample:
        """Draw one sample; of both modalities when ``paired``, else of either."""
        augment = self._recipe.augment
        negative = bool(rng.random() < self._recipe.data.negatives)
        shots = self.pool.pair(rng, negative)
        if augment.background and rng.random() < augment.background:
            shots = replaced(rng, shots, self.pool.background(rng))
        flip = bool(rng.random() < augment.flip)
        windows = (
            jitter(rng, shots[0].box, self._sides.template, augment.template, flip),
            jitter(rng, shots[1].box, self._sides.search, augment.search, flip),
        )
        corners = windows[1].corners(shots[1].box)
        if paired:
            names = [RGB, IR]
        else:
            shared = sorted(set(shots[0].images) & set(shots[1].images)) or sorted(shots[1].images)
            names = [shared[int(rng.integers(len(shared)))]]
        views = self._views(rng, shots, windows, names)
        searches = self._clutter(rng, [search for _, search in views], names, corners)
        views = [(template, search) for (template, _), search in zip(views, searches, strict=True)]
        if augment.distant and rng.random() < augment.distant:
            factor = float(rng.uniform(*FARTHER))
            views = [(from_afar(template, factor), from_afar(search, factor)) for template, search in views]
        finished = [self._finish(rng, name, *view) for name, view in zip(names, views, strict=True)]
        degraded = np.zeros(len(names), np.float32)
        if paired:
            finished, degraded = self._degrade(rng, finished, shots, names)
        make_target = negative_target if negative else positive_target
        target = make_target(self._grid, corners, self._recipe.targets, rng)
        templates, finals = zip(*finished, strict=True)
        return Sample(np.stack(templates), np.stack(finals), target, negative, degraded)

    def _views(
        self, rng: np.random.Generator, shots: tuple[Shot, Shot], windows: tuple[Window, Window], names: list[str]
    ) -> list[tuple[Image, Image]]:
        """Template and search view a modality, with what both share: misalignment, polarity, kind of camera."""
        views = []
        for name in names:
            offset = np.zeros(2)
            if name == IR and len(names) == 2:
                offset = rng.uniform(-1, 1, 2) * self._recipe.augment.misalignment
            seed = int(rng.integers(1 << 62))
            pair = [
                _look(np.random.default_rng(seed), shot, moved(window, *offset), name, self._recipe.augment)
                for shot, window in zip(shots, windows, strict=True)
            ]
            views.append((pair[0], pair[1]))
        return views

    def _clutter(
        self, rng: np.random.Generator, searches: list[Image], names: list[str], corners: Corners
    ) -> list[Image]:
        """Another object beside the target, something in front of it; at the same place in all modalities."""
        augment = self._recipe.augment
        if rng.random() < augment.distractor:
            shot = self.pool.distractor(rng)
            crossing = augment.crossing > 0 and rng.random() < augment.crossing
            for _ in range(OUTLINED if crossing else 0):
                # An outline matters more where two bodies overlap than where they stand apart.
                shot = shot if shot is not None and shot.mask is not None else self.pool.distractor(rng)
            if shot is not None:
                searches = paste_distractor(rng, searches, names, corners, shot, crossing)
        if rng.random() < augment.occlusion:
            searches = occlude(rng, searches, corners)
        return searches

    def _finish(self, rng: np.random.Generator, name: str, template: Image, search: Image) -> tuple[Image, Image]:
        """Independent changes of the two views: light, colour, blur, noise."""
        augment = self._recipe.augment
        pair = []
        for image, blur in ((template, augment.template.blur), (search, augment.search.blur)):
            if rng.random() < augment.light:
                image = photometric.light(rng, image, tint=0.12 if name == RGB else 0.0)
            if rng.random() < augment.colour and name == RGB:
                image = photometric.pca_colour(rng, image)
            if rng.random() < blur:
                image = photometric.blur(rng, image)
            if rng.random() < augment.noise:
                image = photometric.noise(rng, image)
            pair.append(image)
        return pair[0], pair[1]

    def _degrade(
        self, rng: np.random.Generator, views: list[tuple[Image, Image]], shots: tuple[Shot, Shot], names: list[str]
    ) -> tuple[list[tuple[Image, Image]], NDArray[np.float32]]:
        """With some probability spoil one of the two modalities, and perhaps the other one, less."""
        augment = self._recipe.augment
        strength = np.zeros(len(names), np.float32)
        chance, victim = rng.random(), int(rng.integers(len(names)))
        template, search = views[victim]
        spoiled = list(views)
        if chance < augment.modality_dropout:
            template, search, strength[victim] = np.zeros_like(template), np.zeros_like(search), 1
        elif chance < augment.modality_dropout + augment.degrade:
            if rng.random() < 0.15:
                search, strength[victim] = self._stuck(rng, shots[0], names[victim]), 1
            else:
                template, search, strength[victim] = degradation.degrade(rng, names[victim], template, search)
            if augment.both and rng.random() < augment.both:
                other = 1 - victim
                *pair, strength[other] = degradation.degrade(rng, names[other], *views[other], degradation.WEAK)
                spoiled[other] = (pair[0], pair[1])
        spoiled[victim] = (template, search)
        return spoiled, strength

    def _stuck(self, rng: np.random.Generator, shot: Shot, name: str) -> Image:
        """A frozen camera: an earlier frame, with the target somewhere else."""
        away = jitter(rng, shot.box, self._sides.search, self._recipe.augment.search)
        reach = self._sides.search / 3
        return _render(rng, shot, moved(away, *rng.uniform(-reach, reach, 2)), name)


def _render(rng: np.random.Generator, shot: Shot, window: Window, name: str) -> Image:
    """The window of one modality; where the shot lacks it, made from the other one."""
    if name in shot.images:
        return window.cut(shot.images[name])
    other = window.cut(next(iter(shot.images.values())))
    return _thermal(rng, shot, window, other) if name == IR else photometric.visible_like(rng, other)


def _thermal(rng: np.random.Generator, shot: Shot, window: Window, view: Image) -> Image:
    """A visible view as a thermal one; with a temperature for the target mostly, where its mask is known."""
    if shot.mask is not None and rng.random() < SILHOUETTE:
        return silhouette_view(rng, view, window.cut(shot.mask))
    return photometric.thermal_like(rng, view)


def _look(rng: np.random.Generator, shot: Shot, window: Window, name: str, augment: Augment) -> Image:
    """A modality's view with the changes that template and search share; both get generators of the same seed."""
    choice = rng.random(3)
    image = _render(rng, shot, window, name)
    if name == RGB and choice[0] < augment.thermal_like:
        return _thermal(rng, shot, window, image)
    if choice[1] < augment.grey:
        image = photometric.grey(image)
    return 255 - image if choice[2] < augment.invert else image
