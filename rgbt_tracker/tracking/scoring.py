"""How candidates are scored: the one place where this tracker does more than PySOT's.

PySOT's tracker hands the crop of the template to its network once and the crop of every search from then on. So does
this one. What was added since belongs to the reliability gate: it remembers from search to search how each branch did,
and it may ask for views of the first frame, on which the template is tried where the answer is known. And to cameras
that come and go: each has a crop of the target of its own, perhaps from a later frame than the first, and the template
of those that are there is made of their crops when it is first needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor

from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.network import SearchOutput, Template, Views

VIEW_OFFSET = 0.28
"""How far the views of the first frame look past the target, both ways, in sides of the template square."""
CORNERS = ((1, 1), (-1, 1), (-1, -1), (1, -1))
"""Where each view looks: across and down."""
Point = tuple[float, float]


class Network(Protocol):
    """What the tracker needs of a network (`rgbt_tracker.models.network.SiameseNetwork`), on its device and in
    evaluation mode."""

    @property
    def wants_views(self) -> bool:
        """Whether `template` has a use for views of the first frame."""
        ...

    def template(
        self, images: Tensor, views: Views | None = None, modalities: tuple[str, ...] | None = None
    ) -> Template:
        """(K, 1, 3, E, E) crops of the target, one a modality -> what `search` looks for."""
        ...

    def search(self, template: Template, images: Tensor, memory: Tensor | None = None) -> SearchOutput:
        """(K, 1, 3, S, S) crops and the ``memory`` of the search before -> the head's output."""
        ...


class Cut(Protocol):
    """Cuts a frame: centre and ``side`` of a square in image px -> (K, 1, 3, size, size) crops, one a modality."""

    def __call__(self, center: Point, side: float, size: int) -> Tensor: ...


class CandidateScorer:
    """Scores the candidates of one target, search after search, in whichever cameras are there.

    Attributes:
        known: the cameras in which the target was learnt, in the configuration's order.
    """

    def __init__(self, config: TrackerConfig, network: Network) -> None:
        self._network = network
        self._cameras = config.modalities
        self._exemplar, self._instance = config.tracking.exemplar, config.tracking.instance
        self._stride = config.anchors.stride
        self.start()

    def start(self) -> None:
        """Forget the target."""
        self.known: tuple[str, ...] = ()
        self._first: tuple[str, ...] = ()
        self._crops: dict[str, Tensor] = {}
        self._views: dict[str, Tensor] = {}
        self._templates: dict[tuple[str, ...], Template] = {}
        self._memory: Tensor | None = None

    def learn(self, cameras: tuple[str, ...], cut: Cut, center: Point, side: float) -> None:
        """Learn what the target looks like in ``cameras``: the square of ``side`` px around ``center``.

        Args:
            cut: cuts the frame of these cameras, in this order.
        """
        crops = cut(center, side, self._exemplar)
        views = self._cut_views(cut, center, side) if self._network.wants_views else None
        late = bool(self.known)
        for number, camera in enumerate(cameras):
            # One layout in memory, that which `restore` gives it: another one may round otherwise.
            self._crops[camera] = crops[number : number + 1].contiguous() if late else crops[number : number + 1]
            if views is not None and cameras != self._cameras:
                self._views[camera] = views[number : number + 1].contiguous()
        self._prepare(crops, views)
        self._first = self._first or self.known

    def __call__(self, cameras: tuple[str, ...], crops: Tensor) -> SearchOutput:
        """Score a search, (K, 1, 3, S, S) crops of ``cameras``, in all of which the target is known."""
        output = self._network.search(self._template(cameras), crops, self._memory)
        self._memory = output.memory
        return output

    def state(self) -> dict[str, NDArray[Any]]:
        """The gate's memory, and what was learnt after the first frame."""
        state = {} if self._memory is None else {"memory": self._memory.cpu().numpy()}
        for camera in self.known:
            if camera not in self._first:
                # Crops hold whole numbers 0..255.
                state[f"template_{camera}"] = self._crops[camera].to(torch.uint8).cpu().numpy()
                if camera in self._views:
                    state[f"views_{camera}"] = self._views[camera].to(torch.uint8).cpu().numpy()
        return state

    def restore(self, state: Mapping[str, NDArray[Any]], device: torch.device) -> None:
        """Be as when `state` was called, for the target that was learnt in the first frame."""
        memory = state.get("memory")
        self._memory = None if memory is None else torch.from_numpy(memory.copy()).to(device)
        for kind, parts in (("template", self._crops), ("views", self._views)):
            for camera in self._cameras:
                if camera not in self._first:
                    parts.pop(camera, None)
                    if f"{kind}_{camera}" in state:
                        parts[camera] = torch.from_numpy(state[f"{kind}_{camera}"].copy()).to(device).float()
        if self._first != self._cameras:
            self._prepare()

    def _prepare(self, crops: Tensor | None = None, views: Tensor | None = None) -> None:
        """Make the template of all cameras in which the target is known, of ``crops`` if these are all of them; that
        of one alone waits until it is needed."""
        self.known = tuple(camera for camera in self._cameras if camera in self._crops)
        self._templates.clear()
        if crops is not None and len(crops) == len(self._cameras):
            self._templates[self.known] = self._learnt(crops, views, self.known)
        else:
            self._template(self.known)

    def _template(self, cameras: tuple[str, ...]) -> Template:
        if cameras not in self._templates:
            crops = self._stacked(self._crops, cameras)
            views = self._stacked(self._views, cameras) if self._views and len(cameras) > 1 else None
            self._templates[cameras] = self._learnt(crops, views, cameras)
        return self._templates[cameras]

    @staticmethod
    def _stacked(parts: dict[str, Tensor], cameras: tuple[str, ...]) -> Tensor:
        """One camera's part as it is, several as a new tensor."""
        return parts[cameras[0]] if len(cameras) == 1 else torch.cat([parts[camera] for camera in cameras])

    def _learnt(self, crops: Tensor, views: Tensor | None, cameras: tuple[str, ...]) -> Template:
        return self._network.template(crops, None if views is None else Views(views, self._places()), cameras)

    def _cut_views(self, cut: Cut, center: Point, side: float) -> Tensor:
        """Four search images of a frame, (K, 4, 3, S, S); where the target is in them is what `_places` says.

        The target lies off-centre, since a response that is high in the middle whatever it sees would pass for a find
        there.
        """
        wide, step = round(side * self._instance / self._exemplar), VIEW_OFFSET * side
        asides = [(center[0] + across * step, center[1] + down * step) for across, down in CORNERS]
        return torch.cat([cut(aside, wide, self._instance) for aside in asides], 1)

    def _places(self) -> Tensor:
        """(4, 2) rows and columns from the middle of the response to the target, in the views."""
        step = self._exemplar * VIEW_OFFSET / self._stride
        return torch.tensor([(-down * step, -across * step) for across, down in CORNERS])
