"""How candidates are scored: the one place where this tracker does more than PySOT's.

PySOT's tracker hands the crop of the template to its network once and the crop of every search from then on. So does
this one. What was added since belongs to the reliability gate, which remembers from search to search how each branch
did, and to cameras that come and go: each has a crop of the target of its own, perhaps from a later frame than the
first, and the template of those that are there is made of their crops when it is first needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor

from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.network import SearchOutput, Template


class Network(Protocol):
    """What the tracker needs of a network (`rgbt_tracker.models.network.SiameseNetwork`), on its device and in
    evaluation mode."""

    def template(self, images: Tensor, modalities: tuple[str, ...] | None = None) -> Template:
        """(K, 1, 3, E, E) crops of the target, one a modality -> what `search` looks for."""
        ...

    def search(self, template: Template, images: Tensor, memory: Tensor | None = None) -> SearchOutput:
        """(K, 1, 3, S, S) crops and the ``memory`` of the search before -> the head's output."""
        ...


class CandidateScorer:
    """Scores the candidates of one target, search after search, in whichever cameras are there.

    Attributes:
        known: the cameras in which the target was learnt, in the configuration's order.
    """

    def __init__(self, config: TrackerConfig, network: Network) -> None:
        self._network = network
        self._cameras = config.modalities
        self.start()

    def start(self) -> None:
        """Forget the target."""
        self.known: tuple[str, ...] = ()
        self._first: tuple[str, ...] = ()
        self._crops: dict[str, Tensor] = {}
        self._templates: dict[tuple[str, ...], Template] = {}
        self._memory: Tensor | None = None

    def learn(self, cameras: tuple[str, ...], crops: Tensor) -> None:
        """Learn what the target looks like in ``cameras``: (K, 1, 3, E, E) crops, one a camera, in this order."""
        late = bool(self.known)
        for number, camera in enumerate(cameras):
            # One layout in memory, that which `restore` gives it: another one may round otherwise.
            self._crops[camera] = crops[number : number + 1].contiguous() if late else crops[number : number + 1]
        self._prepare(crops)
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
        return state

    def restore(self, state: Mapping[str, NDArray[Any]], device: torch.device) -> None:
        """Be as when `state` was called, for the target that was learnt in the first frame."""
        memory = state.get("memory")
        self._memory = None if memory is None else torch.from_numpy(memory.copy()).to(device)
        for camera in self._cameras:
            if camera not in self._first:
                self._crops.pop(camera, None)
                if f"template_{camera}" in state:
                    self._crops[camera] = torch.from_numpy(state[f"template_{camera}"].copy()).to(device).float()
        if self._first != self._cameras:
            self._prepare()

    def _prepare(self, crops: Tensor | None = None) -> None:
        """Make the template of all cameras in which the target is known, of ``crops`` if these are all of them; that
        of one alone waits until it is needed."""
        self.known = tuple(camera for camera in self._cameras if camera in self._crops)
        self._templates.clear()
        if crops is not None and len(crops) == len(self._cameras):
            self._templates[self.known] = self._network.template(crops, self.known)
        else:
            self._template(self.known)

    def _template(self, cameras: tuple[str, ...]) -> Template:
        if cameras not in self._templates:
            self._templates[cameras] = self._network.template(self._stacked(cameras), cameras)
        return self._templates[cameras]

    def _stacked(self, cameras: tuple[str, ...]) -> Tensor:
        """One camera's crop as it is, several as a new tensor."""
        crops = [self._crops[camera] for camera in cameras]
        return crops[0] if len(crops) == 1 else torch.cat(crops)
