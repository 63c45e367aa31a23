"""From a network in torch to ONNX graphs with everything between the cameras' crops and the head's answer inside.

Inputs and outputs are those of `rgbt_tracker.runtime.interface.Runtime`: uint8 crops (K, targets, S, S, 3) in, and any
number of targets; docs/guides/export.md names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import require
from nestfuse_core.export.tracing import traced
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.network import SiameseNetwork, Template, as_images
from rgbt_tracker.runtime.with_onnx import MAP


class _TemplateGraph(nn.Module):
    def __init__(self, network: SiameseNetwork, cameras: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.cameras = network, cameras
        self.branches = branches(network, cameras)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        kernels = self.network.template(as_images(images), self.cameras).kernels
        return tuple(kernel.unflatten(0, (self.branches, -1)) for kernel in kernels)


class _SearchGraph(nn.Module):
    def __init__(self, network: SiameseNetwork, cameras: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.cameras = network, cameras
        self.gated = branches(network, cameras) > 1
        self.maps: list[str] = []

    def forward(self, images: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
        memory, kernels = (inputs[0], inputs[1:]) if self.gated else (None, inputs)
        template = Template(tuple(kernel.flatten(0, 1) for kernel in kernels), self.cameras)
        found = self.network.search(template, as_images(images), memory)
        self.maps = [f"{MAP}{name}" for name in found.maps]
        gate = (found.weights, found.memory) if self.gated else ()
        return (found.cls, found.loc, *gate, *(level[:, :, 0] for level in found.maps.values()))


def branches(network: SiameseNetwork, cameras: tuple[str, ...]) -> int:
    """How many have a say of their own where ``cameras`` see the target."""
    return len(cameras) + 1 if network.gate is not None and len(cameras) > 1 else 1


@torch.no_grad()
def trace(network: SiameseNetwork, config: TrackerConfig, cameras: tuple[str, ...]) -> dict[str, Any]:
    """ "template" and "search" -> ``onnx.ModelProto``, for ``cameras`` of the configuration.

    Args:
        network: in evaluation mode, on the CPU, its batch norms not folded.

    Raises:
        UserError: the fusion has no form in ONNX, or the extra ``export`` is not installed.
    """
    require("export", "onnx")
    if config.model.fusion.channel == "nuclear" and len(cameras) > 1:
        raise UserError(
            "The channel attention 'nuclear' is a sum of singular values, which ONNX has no operation for; export with "
            "model.fusion.channel 'avg' or 'max'."
        )
    options = config.tracking
    first, further = (
        torch.zeros(len(cameras), 1, side, side, 3, dtype=torch.uint8) for side in (options.exemplar, options.instance)
    )
    template, search = _TemplateGraph(network, cameras).eval(), _SearchGraph(network, cameras).eval()
    kernels = template(first)
    names = [f"kernel{number}" for number in range(len(kernels))]
    gate = (["memory"], (torch.zeros(search.gated + len(cameras), 1),)) if search.gated else ([], ())
    search(further, *gate[1], *kernels)
    outputs = ["cls", "loc", *(["weights", "next_memory"] if search.gated else []), *search.maps]
    return {
        "template": _traced(template, {"images": first}, names),
        "search": _traced(
            search, dict(zip(["images", *gate[0], *names], (further, *gate[1], *kernels), strict=True)), outputs
        ),
    }


def _traced(module: nn.Module, inputs: Mapping[str, Tensor], outputs: list[str]) -> Any:
    axes = {name: {0: "targets"} if name in ("cls", "loc") else {1: "targets"} for name in (*inputs, *outputs)}
    return traced(module, inputs, outputs, axes)
