"""The network in torch: any checkpoint, on a CPU or a GPU, and while training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from rgbt_tracker.models.network import SiameseNetwork, Template, as_images
from rgbt_tracker.models.sizes import possible_sizes
from rgbt_tracker.runtime.interface import Answer, Floats, Pixels, State


class TorchRuntime:
    """See `rgbt_tracker.runtime.interface.Runtime`.

    Args:
        network: in evaluation mode, on ``device``.
        device: where crops go.
    """

    name = "torch"

    def __init__(self, network: SiameseNetwork, device: torch.device | str = "cpu") -> None:
        self.network, self._device = network, torch.device(device)

    @property
    def device(self) -> str:
        """Where it computes, as torch calls it."""
        return str(self._device)

    @torch.inference_mode()
    def template(self, images: Pixels, cameras: tuple[str, ...]) -> State:
        with possible_sizes():
            kernels = self.network.template(self._tensor(images), cameras).kernels
        return State(tuple(kernel.unflatten(0, (-1, images.shape[1])) for kernel in kernels), cameras)

    @torch.inference_mode()
    def search(self, state: State, images: Pixels, memory: Floats | None = None, maps: bool = False) -> Answer:
        template = Template(tuple(kernel.flatten(0, 1) for kernel in state.kernels), state.cameras)
        # A first search has its own way through the gate, which needs no memory.
        known = None if memory is None or np.isnan(memory).all() else torch.from_numpy(memory).to(self._device)
        with possible_sizes():
            output = self.network.search(template, self._tensor(images), known)
        shares = {name: _array(level[:, :, 0]) for name, level in output.maps.items()} if maps else {}
        gate = [None if value is None else _array(value) for value in (output.weights, output.memory)]
        return Answer(_array(output.cls), _array(output.loc), gate[0], gate[1], shares)

    @torch.inference_mode()
    def stack(self, states: Sequence[State]) -> State:
        if len(states) == 1:
            return states[0]
        kernels = zip(*(state.kernels for state in states), strict=True)
        return State(tuple(torch.cat(same, 1) for same in kernels), states[0].cameras)

    def digest(self) -> str:
        return digest(self.network.state_dict())

    def _tensor(self, images: Pixels) -> Tensor:
        """Crops as the network takes them, on the device."""
        return as_images(torch.from_numpy(images).to(self._device, non_blocking=True))


def digest(state: Mapping[str, Tensor]) -> str:
    """Name of a state dict: equal for equal names and values."""
    found = hashlib.blake2b(digest_size=16)
    for name, value in state.items():
        found.update(name.encode())
        found.update(value.detach().cpu().numpy().tobytes())
    return found.hexdigest()


def _array(values: Tensor) -> Floats:
    return values.float().cpu().numpy()
