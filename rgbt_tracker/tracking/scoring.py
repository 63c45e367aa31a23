"""How candidates are scored: the one place where this tracker does more than PySOT's.

PySOT's tracker hands the crop of the template to its network once and the crop of every search from then on. So does
this one. What was added since belongs to the reliability gate: it remembers from search to search how each branch did,
and it may ask for views of the first frame, on which the template is tried where the answer is known.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.network import SearchOutput, Template, Views

VIEW_OFFSET = 0.28
"""How far the views of the first frame look past the target, both ways, in sides of the template square."""
Point = tuple[float, float]


class Network(Protocol):
    """What the tracker needs of a network (`rgbt_tracker.models.network.SiameseNetwork`), on its device and in
    evaluation mode."""

    @property
    def wants_views(self) -> bool:
        """Whether `template` has a use for views of the first frame."""
        ...

    def template(self, images: Tensor, views: Views | None = None) -> Template:
        """(K, 1, 3, E, E) crops of the target -> what `search` looks for."""
        ...

    def search(self, template: Template, images: Tensor, memory: Tensor | None = None) -> SearchOutput:
        """(K, 1, 3, S, S) crops and the ``memory`` of the search before -> the head's output."""
        ...


class Cut(Protocol):
    """Cuts a frame: centre and ``side`` of a square in image px -> (K, 1, 3, size, size) crops, one a modality."""

    def __call__(self, center: Point, side: float, size: int) -> Tensor: ...


class CandidateScorer:
    """Scores the candidates of one target, search after search."""

    def __init__(self, config: TrackerConfig, network: Network) -> None:
        self._network = network
        self._exemplar, self._instance = config.tracking.exemplar, config.tracking.instance
        self._stride = config.anchors.stride
        self._template: Template | None = None
        self._memory: Tensor | None = None

    def start(self, cut: Cut, center: Point, side: float) -> None:
        """Learn the target from its first frame: the square of ``side`` px around ``center``."""
        crops = cut(center, side, self._exemplar)
        views = self._views(cut, center, side) if self._network.wants_views else None
        self._template, self._memory = self._network.template(crops, views), None

    def __call__(self, crops: Tensor) -> SearchOutput:
        """Score a search, (K, 1, 3, S, S) crops of the frame after the one before."""
        assert self._template is not None
        output = self._network.search(self._template, crops, self._memory)
        self._memory = output.memory
        return output

    def _views(self, cut: Cut, center: Point, side: float) -> Views:
        """Four search images of the first frame.

        The target lies off-centre, since a response that is high in the middle whatever it sees would pass for a find
        there.
        """
        wide = round(side * self._instance / self._exemplar)
        step = self._exemplar * VIEW_OFFSET / self._stride
        images, places = [], []
        for across, down in ((1, 1), (-1, 1), (-1, -1), (1, -1)):
            aside = center[0] + across * VIEW_OFFSET * side, center[1] + down * VIEW_OFFSET * side
            images.append(cut(aside, wide, self._instance))
            places.append((-down * step, -across * step))
        return Views(torch.cat(images, 1), torch.tensor(places))
