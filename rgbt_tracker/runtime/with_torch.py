"""The network in torch: any checkpoint, on a CPU or a GPU, and while training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from nestfuse_core.common.devices import exact
from rgbt_tracker.models.network import SiameseNetwork, Template, as_images
from rgbt_tracker.models.sizes import possible_sizes
from rgbt_tracker.models.timing import NoTimer
from rgbt_tracker.runtime.cuda_graph import Record, Recorded, Work, record_cuda
from rgbt_tracker.runtime.interface import Answer, Floats, Pixels, State

GATE = ("weights", "memory")
"""What a gate answers besides, by the names of `Answer`."""


class TorchRuntime:
    """See `rgbt_tracker.runtime.interface.Runtime`.

    On a GPU a search is one CUDA graph (`cuda_graph`), and convolutions are those of float32 and not of TF32, so that
    boxes are a CPU's.

    Args:
        network: in evaluation mode, on ``device``; its parameters stay where and what they are.
        device: where crops go.
        record: makes the recordings of `cuda_graph.Recorded`; `record_cuda` on a GPU, none elsewhere, by default.
    """

    name = "torch"

    def __init__(
        self, network: SiameseNetwork, device: torch.device | str = "cpu", record: Record | None = None
    ) -> None:
        self.network, self._device = network, torch.device(device)
        self._record = record or (record_cuda if self._device.type == "cuda" else None)
        self._recorded: dict[tuple[str, ...], Recorded] = {}

    @property
    def device(self) -> str:
        """Where it computes, as torch calls it."""
        return str(self._device)

    @torch.inference_mode()
    def template(self, images: Pixels, cameras: tuple[str, ...]) -> State:
        with possible_sizes(), exact(self._device):
            kernels = self.network.template(self._tensor(images), cameras).kernels
        return State(tuple(kernel.unflatten(0, (-1, images.shape[1])) for kernel in kernels), cameras)

    @torch.inference_mode()
    def search(self, state: State, images: Pixels, memory: Floats | None = None, maps: bool = False) -> Answer:
        inputs = {f"kernel{number}": kernel.flatten(0, 1) for number, kernel in enumerate(state.kernels)}
        inputs["images"] = self._tensor(images)
        # A first search has its own way through the gate, which needs no memory.
        if memory is not None and not np.isnan(memory).all():
            inputs["memory"] = torch.from_numpy(memory).to(self._device)
        with possible_sizes(), exact(self._device):
            found = self._work(state.cameras)(inputs)
        shares = {name: _array(found[name]) for name in found if name not in ("cls", "loc", *GATE)} if maps else {}
        gate = [_array(found[name]) if name in found else None for name in GATE]
        return Answer(_array(found["cls"]), _array(found["loc"]), gate[0], gate[1], shares)

    def _work(self, cameras: tuple[str, ...]) -> Work:
        """A search of ``cameras``, from its tensors to those of its answer."""
        work = partial(self._search, cameras)
        # Sections of a network that is timed are not those of a recording.
        if self._record is None or not isinstance(self.network.timer, NoTimer):
            return work
        return self._recorded.setdefault(cameras, Recorded(work, self._record))

    def _search(self, cameras: tuple[str, ...], inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        template = Template(tuple(inputs[name] for name in inputs if name.startswith("kernel")), cameras)
        output = self.network.search(template, inputs["images"], inputs.get("memory"))
        gate = {name: getattr(output, name) for name in GATE if getattr(output, name) is not None}
        shares = {name: level[:, :, 0] for name, level in output.maps.items()}
        return {"cls": output.cls, "loc": output.loc, **gate, **shares}

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
