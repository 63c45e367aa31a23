"""Frozen backbone layers run without batch norm: folded into the convolutions, in the run's precision.

A frozen layer computes the same function for the whole run, so its batch norm and activation are merged into the
convolution; on a CPU oneDNN then does each in one pass, 3 times faster (``benchmarks/training.py``).
The original modules are kept aside for checkpoints and for the unfreezing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from rgbt_tracker.models.folding import fold


class FrozenLayer(nn.Module):
    """A folded layer that neither trains nor leads gradients through."""

    def __init__(self, layer: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.layer = copy.deepcopy(layer).eval().requires_grad_(False)
        fold(self.layer)
        self.layer.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.dtype = dtype

    def train(self, mode: bool = True) -> FrozenLayer:
        return super().train(False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.to(self.dtype, memory_format=torch.channels_last))


class FrozenLayers:
    """Swaps the frozen direct children of a backbone for folded ones, and back."""

    def __init__(self, backbone: nn.Module) -> None:
        self.backbone = backbone
        self._originals: dict[str, nn.Module] = {}

    def freeze(self, names: Iterable[str], dtype: torch.dtype) -> None:
        """Fold the children ``names``; those frozen before and not named are given back."""
        self.restore()
        for name in names:
            original = self.backbone.get_submodule(name)
            if isinstance(original, nn.Sequential):
                self._originals[name] = original
                setattr(self.backbone, name, FrozenLayer(original, dtype))

    def restore(self) -> None:
        """Put every original module back."""
        for name, original in self._originals.items():
            setattr(self.backbone, name, original)
        self._originals.clear()

    @contextmanager
    def originals(self) -> Iterator[None]:
        """The backbone as it is without folding, for reading its state dict."""
        folded = {name: self.backbone.get_submodule(name) for name in self._originals}
        for name, original in self._originals.items():
            setattr(self.backbone, name, original)
        try:
            yield
        finally:
            for name, layer in folded.items():
                setattr(self.backbone, name, layer)
