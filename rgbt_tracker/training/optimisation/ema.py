"""Exponential moving average of what trains, which is what validation and the written weights use."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rgbt_tracker.training.optimisation.freezing import backbones


class ExponentialMovingAverage:
    """e <- d e + (1 - d) value, with d = min(decay, (1 + t) / (10 + t)), over trainable parameters and statistics.

    Backbone parameters take part from the moment they train.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network, self._decay = network, decay
        self._count = 0
        self._values: dict[str, Tensor] = {}

    def _live(self) -> dict[str, Tensor]:
        inside = {id(part) for backbone in backbones(self._network) for part in backbone.buffers()}
        tensors: dict[str, Tensor] = {name: p for name, p in self._network.named_parameters() if p.requires_grad}
        tensors |= {
            name: b for name, b in self._network.named_buffers() if id(b) not in inside and b.is_floating_point()
        }
        return {name: tensor.detach() for name, tensor in tensors.items()}

    def update(self) -> None:
        """Take the present values in."""
        if not self._decay:
            return
        decay = min(self._decay, (1 + self._count) / (10 + self._count))
        self._count += 1
        live = self._live()
        for name in live.keys() - self._values.keys():
            self._values[name] = live[name].clone()
        names = list(live)
        torch._foreach_lerp_([self._values[name] for name in names], [live[name] for name in names], 1 - decay)

    def applied(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """The state dict with the averages in place of the present values."""
        return {name: self._values.get(name, value) for name, value in state.items()}

    def state(self) -> dict[str, object]:
        """For the checkpoint."""
        return {"count": self._count, "values": self._values}

    def load(self, state: dict[str, object], device: torch.device) -> None:
        """From a checkpoint."""
        values = state["values"]
        assert isinstance(values, dict) and isinstance(state["count"], int)
        self._count = state["count"]
        self._values = {name: value.to(device) for name, value in values.items()}
