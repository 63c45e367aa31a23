"""Freezing: the head always trains, backbone layers from the step that their unfreezing names.

There is one optimiser for the whole run. A layer that is still frozen has its parameters in the optimiser already,
without gradients, so that neither the unfreezing nor a resumed run has to rebuild anything.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import torch
from torch import nn

from nestfuse_core.common.errors import UserError, nearest
from rgbt_tracker.training.optimisation.fast_layers import FrozenLayers, fuse_batch_norms, layers_of
from rgbt_tracker.training.optimisation.optimiser import DTYPES
from rgbt_tracker.training.recipe import Recipe


def backbones(network: nn.Module) -> list[nn.Module]:
    """The network's backbones: one, or one a modality."""
    return [child for name, child in network.named_children() if name.startswith("backbone")]


class Freezing:
    """Freezes and unfreezes a network's backbones as the recipe says."""

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        self._network, self._recipe = network, recipe
        self._dtype = DTYPES[recipe.precision]
        self._frozen = [FrozenLayers(backbone) for backbone in backbones(network)]
        self._layers = {
            unfreeze: [_layer(backbone, name) for backbone in backbones(network) for name in unfreeze.layers]
            for unfreeze in recipe.backbone.unfreeze
        }
        self._current: int | None = None
        for backbone in backbones(network):
            backbone.requires_grad_(False)
        if recipe.statistics == "fixed":
            for name, child in network.named_children():
                if not name.startswith("backbone"):
                    fuse_batch_norms(child)

    def number(self, step: int) -> int:
        """How many unfreezings lie before or at the step."""
        return sum(unfreeze.from_step <= step for unfreeze in self._recipe.backbone.unfreeze)

    def update(self, step: int) -> bool:
        """Bring the network into the state of ``step``; true when something changed."""
        if self.number(step) == self._current:
            return False
        self._current = self.number(step)
        active = self._recipe.backbone.unfreeze[: self._current]
        trained = {name for unfreeze in active for name in unfreeze.layers}
        for frozen in self._frozen:
            frozen.restore()
            frozen.freeze([name for name in layers_of(frozen.backbone) if name not in trained], self._dtype)
        for unfreeze in active:
            for layer in self._layers[unfreeze]:
                layer.requires_grad_(True)
                fuse_batch_norms(layer)
        self.set_training()
        return True

    def set_training(self) -> None:
        """Training mode for all but what keeps the batch statistics of the start: the backbones, or everything."""
        self._network.train(self._recipe.statistics == "batch")
        for backbone in backbones(self._network):
            backbone.eval()

    def groups(self) -> list[dict[str, Any]]:
        """Parameter groups with ``ratio``, the factor of the learning rate: the head's, then one an unfreezing."""
        inside = {id(p) for backbone in backbones(self._network) for p in backbone.parameters()}
        head = [p for p in self._network.parameters() if id(p) not in inside]
        groups: list[dict[str, Any]] = [{"params": head, "ratio": 1.0}]
        for unfreeze in self._recipe.backbone.unfreeze:
            parameters = [p for layer in self._layers[unfreeze] for p in layer.parameters()]
            groups.append({"params": parameters, "ratio": unfreeze.rate})
        return groups

    def state(self) -> dict[str, torch.Tensor]:
        """The network's state dict, the folded layers' original values included."""
        with ExitStack() as stack:
            for frozen in self._frozen:
                stack.enter_context(frozen.originals())
            return {key: value.detach().clone() for key, value in self._network.state_dict().items()}


def _layer(backbone: nn.Module, name: str) -> nn.Module:
    layers = layers_of(backbone)
    if name not in layers:
        raise UserError(f"The backbone has no layer '{name}' to unfreeze{nearest(name, layers)}: {', '.join(layers)}.")
    return layers[name]
