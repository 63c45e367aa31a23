"""Frozen backbone layers run without batch norm: folded into the convolutions, in the run's precision.

A frozen layer computes the same function for the whole run, so its batch norm and activation are merged into the
convolution; on a CPU oneDNN then does each in one pass, 3 times faster (``benchmarks/training.py``).
The original modules are kept aside for checkpoints and for the unfreezing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Limits = tuple[float, float | None]


class FoldedConv(nn.Module):
    """Convolution, batch norm and clamping activation in one."""

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d, limits: Limits | None, dtype: torch.dtype) -> None:
        super().__init__()
        merged = fuse_conv_bn_eval(conv.eval(), norm.eval())
        assert merged.bias is not None
        self.register_buffer("weight", merged.weight.detach().to(dtype).contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", merged.bias.detach().to(dtype))
        self.options = (conv.padding, conv.stride, conv.dilation, conv.groups)
        self.limits = limits

    def forward(self, x: Tensor) -> Tensor:
        padding, stride, dilation, groups = self.options
        if x.device.type == "cpu" and torch.backends.mkldnn.is_available():
            name, values = _onednn(self.limits)
            return torch.ops.mkldnn._convolution_pointwise(
                x, self.weight, self.bias, padding, stride, dilation, groups, name, values, ""
            )
        x = F.conv2d(x, self.weight, self.bias, stride, padding, dilation, groups)  # type: ignore[arg-type]
        return x if self.limits is None else x.clamp_(*self.limits)


def _onednn(limits: Limits | None) -> tuple[str, list[float]]:
    if limits is None:
        return "none", []
    return ("relu", []) if limits[1] is None else ("hardtanh", [limits[0], limits[1]])


def fold(layer: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Return a copy of the layer for evaluation with its convolutions folded wherever batch norm follows one.

    Only plain sequences and blocks that hold one as ``conv`` (MobileNet's) are looked into; what is not understood
    is returned as it is.
    """
    if isinstance(layer, nn.Sequential):
        return nn.Sequential(*_fold_sequence(list(layer), dtype))
    inner = getattr(layer, "conv", None)
    if isinstance(inner, nn.Sequential):
        copy = object.__new__(type(layer))
        nn.Module.__init__(copy)
        copy.__dict__.update({key: value for key, value in layer.__dict__.items() if not key.startswith("_")})
        copy.training = False
        copy.conv = fold(inner, dtype)
        return copy
    return layer


def _fold_sequence(layers: list[nn.Module], dtype: torch.dtype) -> Iterator[nn.Module]:
    index = 0
    while index < len(layers):
        layer, *rest = layers[index : index + 3]
        if isinstance(layer, nn.Conv2d) and rest and isinstance(rest[0], nn.BatchNorm2d):
            limits = _limits(rest[1]) if len(rest) > 1 else None
            yield FoldedConv(layer, rest[0], limits, dtype)
            index += 2 if limits is None else 3
        else:
            yield fold(layer, dtype)
            index += 1


def _limits(activation: nn.Module) -> Limits | None:
    if isinstance(activation, nn.ReLU6):
        return 0.0, 6.0
    return (0.0, None) if isinstance(activation, nn.ReLU) else None


class FrozenLayer(nn.Module):
    """A folded layer that neither trains nor leads gradients through."""

    def __init__(self, layer: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.layer = fold(layer, dtype)
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
