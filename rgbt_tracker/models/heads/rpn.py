"""SiamRPN++'s heads: depthwise RPN (one level) and its weighted sum over levels; keys as in PySOT."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rgbt_tracker.models.heads import Kernels
from rgbt_tracker.models.heads.correlation import depthwise_correlation


class DepthwiseCorrelation(nn.Module):
    """3x3 valid convolutions of template and search, depthwise correlation, and a 1x1 output stage.

    ``kernel`` prepares the template once, so that a track computes it only in its first frame.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.conv_kernel = self._branch(channels)
        self.conv_search = self._branch(channels)
        self.head = nn.Sequential(
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, outputs, 1),
        )

    @staticmethod
    def _branch(channels: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(channels, channels, 3, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )

    def kernel(self, template: Tensor) -> Tensor:
        return self.conv_kernel(template)

    def forward(self, kernel: Tensor, search: Tensor) -> Tensor:
        return self.head(depthwise_correlation(self.conv_search(search), kernel))


class DepthwiseRPN(nn.Module):
    """Two branches: ``cls`` (N, 2A, h, w) with all background scores first, ``loc`` (N, 4A, h, w) as dx, dy, dw, dh."""

    def __init__(self, anchors: int, channels: int) -> None:
        super().__init__()
        self.cls = DepthwiseCorrelation(channels, 2 * anchors)
        self.loc = DepthwiseCorrelation(channels, 4 * anchors)

    def prepare(self, template: list[Tensor]) -> Kernels:
        """Template features -> the kernels of ``cls`` and ``loc``."""
        return self.cls.kernel(template[0]), self.loc.kernel(template[0])

    def forward(self, kernels: Kernels, search: list[Tensor]) -> tuple[Tensor, Tensor]:
        return self.cls(kernels[0], search[0]), self.loc(kernels[1], search[0])


class MultiRPN(nn.Module):
    """One `DepthwiseRPN` a level (``rpn2``, ``rpn3``, ...); the mean of the levels, or their learned weighting."""

    def __init__(self, anchors: int, channels: int, levels: int, weighted: bool) -> None:
        super().__init__()
        self.names = [f"rpn{index + 2}" for index in range(levels)]
        for name in self.names:
            self.add_module(name, DepthwiseRPN(anchors, channels))
        self.weighted = weighted
        if weighted:
            self.cls_weight = nn.Parameter(torch.ones(levels))
            self.loc_weight = nn.Parameter(torch.ones(levels))

    def prepare(self, template: list[Tensor]) -> Kernels:
        """Template features -> every level's pair of kernels, one level after the other."""
        pairs = [self.get_submodule(name).prepare([z]) for name, z in zip(self.names, template, strict=True)]  # type: ignore[operator]
        return tuple(kernel for pair in pairs for kernel in pair)

    def forward(self, kernels: Kernels, search: list[Tensor]) -> tuple[Tensor, Tensor]:
        pairs = zip(kernels[::2], kernels[1::2], strict=True)
        outputs = [self.get_submodule(name)(pair, [x]) for name, pair, x in zip(self.names, pairs, search, strict=True)]
        cls, loc = (torch.stack(level) for level in zip(*outputs, strict=True))
        if not self.weighted:
            return cls.mean(0), loc.mean(0)
        cls_weight, loc_weight = self.cls_weight.softmax(0).to(cls.dtype), self.loc_weight.softmax(0).to(loc.dtype)
        return torch.tensordot(cls_weight, cls, 1), torch.tensordot(loc_weight, loc, 1)
