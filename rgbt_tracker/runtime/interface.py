"""All that the tracking loop knows of a network: crops of targets in, what to look for and how a search went out.

Everything here is NumPy. Images of N targets in K cameras are stacked as (K, N, S, S, 3) uint8, BGR, cameras in the
configuration's order; N targets cost one pass, and answers keep their order. A *branch* is what has a say of its own:
the reliability gate weighs B = K + 1 of them (the cameras, then their joint fusion), otherwise B is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


class State(NamedTuple):
    """What `Runtime.search` looks for: N targets as they were seen by ``cameras``.

    ``kernels`` are the head's, in its own order: each (B, N, ...), an array of the runtime's own kind.
    """

    kernels: tuple[Any, ...]
    cameras: tuple[str, ...]


class Answer(NamedTuple):
    """One search for N targets.

    Attributes:
        cls: (N, 2A, h, w) logits, all background ones first.
        loc: (N, 4A, h, w) box parameters.
        weights: (B, N) of the gate's branches, sum 1; None where no gate weighed anything.
        memory: (B, N) what the gate is given in the next search; None likewise.
        maps: where they were asked for, name -> (K, N, h, w) share of each camera in what was fused: of every level of
            the backbone, or of the gate's "response"; empty where the fusion has none, or had nothing to fuse.
    """

    cls: Floats
    loc: Floats
    weights: Floats | None
    memory: Floats | None
    maps: dict[str, Floats]


class Runtime(Protocol):
    """A network in evaluation mode.

    Attributes:
        name: "torch" or "onnx".
    """

    name: str

    @property
    def device(self) -> str:
        """Where it computes: "cpu" or "cuda:0"."""
        ...

    def template(self, images: Pixels, cameras: tuple[str, ...]) -> State:
        """(K, N, E, E, 3) crops of the targets in ``cameras``, one or all of the configuration's."""
        ...

    def search(self, state: State, images: Pixels, memory: Floats | None = None, maps: bool = False) -> Answer:
        """Score every place of (K, N, S, S, 3) crops of the state's cameras.

        Args:
            memory: (B, N) of each target's search before, NaN for one that had none; only where a gate has branches to
                weigh.
            maps: also give the fusion's maps.
        """
        ...

    def stack(self, states: Sequence[State]) -> State:
        """The targets of states of the same cameras, in their order, as one state."""
        ...

    def digest(self) -> str:
        """Name of the weights, whatever they are called and whoever computes with them."""
        ...
