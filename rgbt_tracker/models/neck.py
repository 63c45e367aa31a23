"""The neck: 1x1 convolution and batch norm of each level, and the centre crop of the template."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

CENTER = 7
SMALL = 20
"""Maps narrower than this are a template's (15 px of 127), wider ones a search region's (31 of 255)."""


class AdjustLayer(nn.Module):
    """NxCxhxw -> NxC'xhxw, cut to the centre 7x7 when it is a template's."""

    def __init__(self, inputs: int, outputs: int, crop: bool) -> None:
        super().__init__()
        self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.crop = crop

    def forward(self, x: Tensor) -> Tensor:
        x = self.downsample(x)
        if self.crop and x.shape[-1] < SMALL:
            start = (x.shape[-1] - CENTER) // 2
            x = x[..., start : start + CENTER, start : start + CENTER]
        return x


class Neck(nn.Module):
    """One `AdjustLayer` a level; keys ``downsample2``, ``downsample3``, ..., or ``downsample`` for a single level."""

    def __init__(self, inputs: Sequence[int], outputs: Sequence[int], crop: bool = True) -> None:
        super().__init__()
        self.single = len(inputs) == 1
        if self.single:
            # PySOT's keys for one level have no nested module.
            layer = AdjustLayer(inputs[0], outputs[0], crop)
            self.downsample = layer.downsample
            self._layers = [layer]
        else:
            for index, (before, after) in enumerate(zip(inputs, outputs, strict=True)):
                self.add_module(f"downsample{index + 2}", AdjustLayer(before, after, crop))
        self.crop, self.count = crop, len(inputs)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        if self.single:
            return [self._layers[0](features[0])]
        return [self.get_submodule(f"downsample{i + 2}")(feature) for i, feature in enumerate(features)]
