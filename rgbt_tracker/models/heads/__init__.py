"""Heads: fused template and search features to class scores and box parameters."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

Kernels = tuple[Tensor, ...]
"""What a head makes of the template's features, once a track; only the head itself knows their order."""


class Head(Protocol):
    """What the network asks of its head; features are one (N, C, h, w) tensor a level."""

    def prepare(self, template: list[Tensor]) -> Kernels:
        """Template features -> what a search is correlated with."""
        ...

    def __call__(self, kernels: Kernels, search: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Search features -> cls (N, 2A, h, w), all background logits first, and loc (N, 4A, h, w)."""
        ...
