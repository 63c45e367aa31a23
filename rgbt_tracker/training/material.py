"""What training pairs are made of, as a recipe says it: sources of pictures, and what is done to them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from rgbt_tracker.config import Section

Share = Annotated[float, Field(ge=0, le=1)]
"""A probability, or a part of a whole."""
FOLDERS = ("crops", "photos", "masks", "objects", "scenes")
"""What a source may be made of."""


class Source(Section):
    """One set of crops, of photographs or of pairs of objects, and how often training pairs come from it.

    Attributes:
        crops: folder with ``index.json`` (docs/reference/crop-sets.md describes the layout).
        photos: folder of photographs; shapes are cut out of one and pasted into another (``copy_paste.py``).
        masks: folder of the targets' silhouettes (``rgbt data masks``): photographs then also give objects with their
            real outlines (``copy_paste_objects.py``), and visible crops thermal views with a temperature for the
            target.
        objects: folder of tight crops of objects by two aligned cameras (``rgb``, ``ir``, ``index.json``), put before
            ``scenes``, or before ``photos`` with a made thermal view, or before either; ``masks`` are their outlines.
        scenes: folder of aligned pictures of whole scenes (``visible``, ``infrared``).
        one_camera: share of the pairs of objects in which exactly one camera sees the target.
        weight: share of the pairs, relative to the other sources.
        modality: use only these crops ("rgb", "ir").
        match: use only sequences whose name or source contains one of these texts.
        balance: a sequence, or a class of objects by day or night, is drawn in proportion to ``len ** balance``; 0
            draws all alike.
    """

    crops: Path | None = None
    photos: Path | None = None
    masks: Path | None = None
    objects: Path | None = None
    scenes: Path | None = None
    one_camera: Share = 0.2
    weight: float = Field(default=1.0, gt=0)
    modality: Literal["rgb", "ir"] | None = None
    match: tuple[str, ...] = ()
    balance: Share = 0.5

    @model_validator(mode="after")
    def _one_kind(self) -> Source:
        if self.objects is not None:
            if self.crops is not None or (self.scenes is None and self.photos is None):
                raise ValueError("a source of 'objects' needs 'scenes', 'photos' or both, and no 'crops'")
        elif self.scenes is not None or (self.crops is None) == (self.photos is None):
            raise ValueError("a source needs 'crops', 'photos' or 'objects' with 'scenes', folders")
        return self

    def placed(self, folder: Path) -> Source:
        """The same with its folders, where they are relative, below ``folder``."""
        folders = {key: getattr(self, key) for key in FOLDERS}
        return self.model_copy(update={key: folder / path for key, path in folders.items() if path is not None})


class Data(Section):
    """Where pairs come from. ``paired`` is the share of steps that stack both modalities (2, N, 3, H, W).

    ``workers`` threads make the batches; with ``processes``, where these can be forked, as many processes, at most one
    a core. ``cache_gb`` is what decoded pictures may take.
    """

    sources: tuple[Source, ...] = Field(min_length=1)
    max_gap: int = Field(default=100, ge=1)
    negatives: Share = 0.2
    paired: Share = 0.0
    workers: int = Field(default=2, ge=0)
    processes: bool = False
    cache_gb: float = Field(default=4.0, ge=0)


class Jitter(Section):
    """Geometric jitter of one crop, in pixels and relative to the window's side, both uniform in +-value; and blur."""

    shift: float = Field(default=0, ge=0)
    scale: float = Field(default=0, ge=0, lt=1)
    blur: Share = 0


class Augmentation(Section):
    """Augmentations of pairs: shares, where nothing else is said; the defaults are those of the official recipe.

    Attributes:
        template: geometric jitter and blur of the template, the same shift and scale for both modalities.
        search: likewise of the search region.
        colour: PCA jitter of the colours of each visible view by itself.
        flip: both views mirrored.
        background: share of the visible clips with a known mask whose target is put before a photograph, the camera
            moving between the two moments.
        brightness: gain, offset and gamma of each view by itself; thermal views keep equal channels.
        grey: both views of a modality without colour.
        invert: both views of a modality as negatives.
        pseudo_thermal: share of the visible pairs shown as a thermal camera might.
        noise: of each view by itself.
        occlusion: a piece of the surroundings in front of the target.
        distractor: another target beside it, cut out along its mask where that is known.
        crossing: share of the distractors that stand partly before the target, about as large and in thermal views
            mostly about as warm.
        misalignment: how far the thermal camera may be off, in pixels.
        corruption: share of the paired samples with smoke, fog, darkness, glare, noise, thermal crossover, black or a
            frozen camera in one modality.
        modality_dropout: share of the paired samples with one modality black in both views.
    """

    template: Jitter = Jitter(shift=4, scale=0.05)
    search: Jitter = Jitter(shift=64, scale=0.18, blur=0.2)
    colour: Share = 1.0
    flip: Share = 0.0
    background: Share = 0.0
    brightness: Share = 0.0
    grey: Share = 0.0
    invert: Share = 0.0
    pseudo_thermal: Share = 0.0
    noise: Share = 0.0
    occlusion: Share = 0.0
    distractor: Share = 0.0
    crossing: Share = 0.0
    misalignment: float = Field(default=0.0, ge=0)
    corruption: Share = 0.0
    modality_dropout: Share = 0.0
