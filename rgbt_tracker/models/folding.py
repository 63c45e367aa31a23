"""Convolution, batch norm and activation in one: what a network that is not trained any more consists of."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Merged = tuple[str, list[float]]


class FoldedConv(nn.Module):
    """A convolution and the activation behind it.

    On a CPU oneDNN does both in one pass, where it takes the type of number. ``F.conv2d`` would also give way to
    another routine for 1x1 convolutions when torch has one thread, at half the speed.
    """

    def __init__(self, conv: nn.Conv2d, activation: nn.Module | None = None) -> None:
        super().__init__()
        self.register_buffer("weight", conv.weight.detach())
        self.register_buffer("bias", None if conv.bias is None else conv.bias.detach())
        self.options = (conv.padding, conv.stride, conv.dilation, conv.groups)
        self.activation = activation
        self._merged = _merged(activation)

    def forward(self, x: Tensor) -> Tensor:
        padding, stride, dilation, groups = self.options
        fast = x.device.type == "cpu" and torch.backends.mkldnn.is_available() and _onednn_takes(x.dtype)
        if fast and self._merged is not None:
            return torch.ops.mkldnn._convolution_pointwise(
                x, self.weight, self.bias, padding, stride, dilation, groups, *self._merged, ""
            )
        x = F.conv2d(x, self.weight, self.bias, stride, padding, dilation, groups)  # type: ignore[arg-type]
        return x if self.activation is None else self.activation(x)


@cache
def _onednn_takes(dtype: torch.dtype) -> bool:
    """Whether oneDNN convolves numbers of this type on this processor; in bfloat16 only some can."""
    return dtype != torch.bfloat16 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _merged(activation: nn.Module | None) -> Merged | None:
    """oneDNN's name of an activation and its parameters; None for one that it cannot merge."""
    if activation is None:
        return "none", []
    if isinstance(activation, nn.ReLU6):
        return "hardtanh", [0.0, 6.0]
    if isinstance(activation, nn.ReLU):
        return "relu", []
    return ("hardswish", []) if isinstance(activation, nn.Hardswish) else None


def fold(module: nn.Module) -> None:
    """Merge every batch norm, and in plain sequences every activation, into the convolution before it, in place.

    Outputs change by rounding only. The module can no longer be trained, nor load a checkpoint. Every network here
    registers a batch norm right after the convolution that feeds it.
    """
    children = list(module.named_children())
    index = 0
    while index < len(children):
        name, child = children[index]
        index += 1
        if not isinstance(child, nn.Conv2d) or child.padding_mode != "zeros":
            fold(child)
            continue
        followers = children[index : index + 2]
        if followers and isinstance(followers[0][1], nn.BatchNorm2d):
            child = fuse_conv_bn_eval(child, followers[0][1])
            setattr(module, followers.pop(0)[0], nn.Identity())
            index += 1
        activation = None
        if isinstance(module, nn.Sequential) and followers and _merged(followers[0][1]) is not None:
            activation = followers[0][1]
            setattr(module, followers[0][0], nn.Identity())
            index += 1
        setattr(module, name, FoldedConv(child, activation))
