"""The fusion network as ONNX graphs: a picture to features, features of two scale by scale to fused ones, and back.

They are those of `nestfuse_core.runtime.with_onnx`; docs/guides/export.md names inputs and outputs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nestfuse_core.common.extras import require
from nestfuse_core.export.tracing import halve_parameters, traced
from nestfuse_core.model import inference
from nestfuse_core.model.attention import SPATIAL_KINDS, FusionWeights, combine, spatial_weights
from nestfuse_core.model.network import NestFuse
from nestfuse_core.model.plan import CHANNELS, SCALES
from nestfuse_core.runtime.exports import DECODE, ENCODE, attend

SIDE = 2 ** (SCALES - 1)
"""Of the pictures that the graphs are traced with, the least: at the coarsest scale one pixel, which is padded by
repetition, and larger ones by the same operations as by reflection."""


class _Encode(nn.Module):
    def __init__(self, network: NestFuse) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(inference.encode(self.network, image))


def _over_channels(features: Tensor) -> Tensor:
    """Sum over the channels of one picture, 1xCxHxW -> 1x1xHxW: as a product, since ONNX Runtime takes ten times as
    long for a sum over a side that is not the last."""
    _, channels, height, width = features.shape
    return (features.new_ones(1, channels) @ features.flatten(2)).reshape(1, 1, height, width)


class _Attend(nn.Module):
    def __init__(self, spatial: str) -> None:
        super().__init__()
        self.spatial = spatial

    def forward(self, ir: Tensor, vis: Tensor, channel_weights: Tensor) -> tuple[Tensor, Tensor]:
        over_space = spatial_weights((ir, vis), self.spatial, _over_channels)
        fused = combine((ir, vis), FusionWeights(over_space, channel_weights[:, None, :, None, None]))
        return fused, over_space[:, 0, 0]


class _Decode(nn.Module):
    def __init__(self, network: NestFuse) -> None:
        super().__init__()
        self.network = network

    def forward(self, *features: Tensor) -> Tensor:
        return inference.decode(self.network, list(features))


@torch.no_grad()
def trace(network: NestFuse) -> dict[str, Any]:
    """File name -> ``onnx.ModelProto``: the encoder, the decoder, and a graph for each kind of spatial attention.

    Args:
        network: in evaluation mode, on the CPU.

    Raises:
        UserError: the extra ``export`` is not installed.
    """
    require("export", "onnx")
    network = network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    scales = [f"features{scale}" for scale in range(SCALES)]
    sizes = {name: {2: f"h{scale}", 3: f"w{scale}"} for scale, name in enumerate(scales)}
    features = [torch.rand(1, channels, SIDE >> scale, SIDE >> scale) for scale, channels in enumerate(CHANNELS)]
    models = {
        ENCODE: traced(
            _Encode(network).eval(),
            {"image": torch.rand(1, 1, SIDE, SIDE)},
            scales,
            {"image": {2: "h0", 3: "w0"}, **sizes},
            folded=False,
        ),
        DECODE: traced(
            _Decode(network).eval(),
            dict(zip(scales, features, strict=True)),
            ["output"],
            {"output": {2: "h0", 3: "w0"}, **sizes},
            folded=False,
        ),
    }
    for model in models.values():
        halve_parameters(model)
    inputs = {"ir": features[0], "vis": features[0] + 1, "channel_weights": torch.rand(2, CHANNELS[0])}
    sides = {2: "h", 3: "w"}
    axes = {"ir": {1: "C", **sides}, "vis": {1: "C", **sides}, "channel_weights": {1: "C"}}
    axes |= {"fused": {1: "C", **sides}, "spatial_weights": {1: "h", 2: "w"}}
    for spatial in SPATIAL_KINDS:
        models[attend(spatial)] = traced(_Attend(spatial).eval(), inputs, ["fused", "spatial_weights"], axes)
    return models
