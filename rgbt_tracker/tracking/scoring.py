"""How candidates are scored: the one place where this tracker does more than PySOT's.

PySOT's tracker hands the crop of the template to its network once and the crop of every search from then on. So does
this one. What was added since belongs to the reliability gate, which remembers from search to search how each branch
did, and to cameras that come and go: each has a crop of the target of its own, perhaps from a later frame than the
first, and the template of those that are there is made of their crops when it is first needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.arrays import part
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.runtime.interface import Answer, Floats, Pixels, Runtime, State


@dataclass
class Appearance:
    """What one target looks like, and what the gate remembers of it.

    Attributes:
        crops: camera -> (E, E, 3) uint8, the target as it learnt it.
        first: the cameras that learnt it in the first frame.
        memory: (B,) the gate's; None before the first search with all cameras.
        states: what was made of the crops, by cameras.
    """

    crops: dict[str, Pixels] = field(default_factory=dict)
    first: tuple[str, ...] = ()
    memory: Floats | None = None
    states: dict[tuple[str, ...], State] = field(default_factory=dict)


class CandidateScorer:
    """Scores the candidates of any number of targets, search after search, in whichever cameras are there."""

    def __init__(self, config: TrackerConfig, runtime: Runtime) -> None:
        self._runtime = runtime
        self._cameras = config.modalities
        self._gated = len(self._cameras) > 1 and config.model.fusion.strategy == "reliable"

    def known(self, seen: Appearance) -> tuple[str, ...]:
        """The cameras in which the target was learnt, in the configuration's order."""
        return tuple(camera for camera in self._cameras if camera in seen.crops)

    def learn(self, seen: Appearance, crops: Mapping[str, Pixels]) -> None:
        """Learn what a target looks like: camera -> (E, E, 3) uint8."""
        seen.crops.update(crops)
        self._prepare(seen)
        seen.first = seen.first or self.known(seen)

    def __call__(
        self, targets: Sequence[Appearance], cameras: tuple[str, ...], crops: Pixels, maps: bool = False
    ) -> Answer:
        """Score a search, (K, N, S, S, 3) crops of ``cameras``, for N targets known in all of these."""
        state = self._runtime.stack([self._state(seen, cameras) for seen in targets])
        if not self._gated or len(cameras) == 1:
            answer = self._runtime.search(state, crops, maps=maps)
            return answer._replace(weights=self._sole_weights(cameras, len(targets))) if self._gated else answer
        answer = self._runtime.search(state, crops, self._memory(targets), maps)
        if answer.memory is not None:
            for seen, memory in zip(targets, answer.memory.T, strict=True):
                seen.memory = memory.copy()
        return answer

    def state(self, seen: Appearance) -> dict[str, NDArray[Any]]:
        """The gate's memory, and what was learnt after the first frame."""
        state: dict[str, NDArray[Any]] = {} if seen.memory is None else {"memory": seen.memory}
        return state | {f"template_{camera}": crop for camera, crop in seen.crops.items() if camera not in seen.first}

    def restore(self, seen: Appearance, state: Mapping[str, NDArray[Any]]) -> None:
        """Be as when `state` was called, for the target that was learnt in the first frame.

        Raises:
            ValueError: it is no such state.
        """
        memory, shape = None, seen.crops[seen.first[0]].shape
        if "memory" in state:
            memory = part(state, "memory", (len(self._cameras) + 1,)).astype(np.float32)
        seen.memory = memory
        late = [camera for camera in self._cameras if camera not in seen.first]
        for camera in late:
            seen.crops.pop(camera, None)
            if (name := f"template_{camera}") in state:
                seen.crops[camera] = part(state, name, shape, least=0, most=255).astype(np.uint8)
        if late:
            self._prepare(seen)

    def _prepare(self, seen: Appearance) -> None:
        """Make the template of all cameras in which the target is known; that of one alone waits until it is needed."""
        seen.states.clear()
        self._state(seen, self.known(seen))

    def _state(self, seen: Appearance, cameras: tuple[str, ...]) -> State:
        if cameras not in seen.states:
            crops = np.stack([seen.crops[camera] for camera in cameras])
            seen.states[cameras] = self._runtime.template(crops[:, None], cameras)
        return seen.states[cameras]

    def _memory(self, targets: Sequence[Appearance]) -> Floats:
        """(B, N), NaN for a target without any."""
        nothing = np.full(len(self._cameras) + 1, np.nan, np.float32)
        return np.stack([nothing if seen.memory is None else seen.memory for seen in targets], 1)

    def _sole_weights(self, cameras: tuple[str, ...], count: int) -> Floats:
        """The gate's (B, N) weights where one camera is all there is."""
        weights = np.zeros((len(self._cameras) + 1, count), np.float32)
        weights[self._cameras.index(cameras[0])] = 1
        return weights
