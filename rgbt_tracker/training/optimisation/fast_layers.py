"""Backbone layers made fast on a CPU: frozen ones, and those that train while their batch statistics stay fixed.

A frozen layer computes the same function for the whole run, so its batch norm and activation are merged into the
convolution, in the run's precision; oneDNN then does each in one pass, 3 times faster. The original modules are kept
aside for checkpoints and for the unfreezing.

In a layer that trains, batch norm with fixed statistics is a scale and a shift, which are multiplied into the
convolution (gradients flow through the product), so that no pass over the activations is spent on it. torch's own
gradient of a dilated depthwise convolution is several times slower there than the two correlations it consists of.
``benchmarks/speed/training.py`` measures both.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
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


def layers_of(backbone: nn.Module) -> dict[str, nn.Module]:
    """The layers that a recipe may name: the backbone's children, or those of the one sequence that it consists of."""
    children = dict(backbone.named_children())
    if len(children) > 1:
        return children
    [(name, sequence)] = children.items()
    return {f"{name}.{part}": layer for part, layer in sequence.named_children()}


def _is_stage(layer: nn.Module) -> bool:
    """Whether a layer holds convolutions together with what follows them, so that it can be folded by itself."""
    return not isinstance(layer, nn.Conv2d) and any(isinstance(part, nn.Conv2d) for part in layer.modules())


class FrozenLayers:
    """Swaps the frozen layers of a backbone for folded ones, and back."""

    def __init__(self, backbone: nn.Module) -> None:
        self.backbone = backbone
        self._originals: dict[str, nn.Module] = {}

    def freeze(self, names: Iterable[str], dtype: torch.dtype) -> None:
        """Fold the layers ``names``; those frozen before and not named are given back."""
        self.restore()
        for name in names:
            original = self.backbone.get_submodule(name)
            if _is_stage(original):
                self._originals[name] = original
                self.backbone.set_submodule(name, FrozenLayer(original, dtype))

    def restore(self) -> None:
        """Put every original module back."""
        for name, original in self._originals.items():
            self.backbone.set_submodule(name, original)
        self._originals.clear()

    @contextmanager
    def originals(self) -> Iterator[None]:
        """The backbone as it is without folding, for reading its state dict."""
        folded = {name: self.backbone.get_submodule(name) for name in self._originals}
        for name, original in self._originals.items():
            self.backbone.set_submodule(name, original)
        try:
            yield
        finally:
            for name, layer in folded.items():
                self.backbone.set_submodule(name, layer)


class _Depthwise(torch.autograd.Function):
    """Depthwise convolution of stride 1 and "same" padding: x (N, C, H, W), weight (C, 1, k, k), bias (C,)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
        weight, bias = weight.to(x.dtype), bias.to(x.dtype)
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        return _same(x, weight, bias, dilation)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        with torch.autocast(grad.device.type, enabled=False):
            by_x = _same(grad, weight.flip(2, 3), None, ctx.dilation) if ctx.needs_input_grad[0] else None
            by_weight = _by_weight(x, grad, weight.shape[-1], ctx.dilation)
            by_bias = grad.sum((0, 2, 3), dtype=_precise(grad))
        return by_x, by_weight, by_bias, None


def _same(x: Tensor, weight: Tensor, bias: Tensor | None, dilation: int) -> Tensor:
    padding = dilation * (weight.shape[-1] - 1) // 2
    return F.conv2d(x, weight, bias, 1, padding, dilation, len(weight))


def _by_weight(x: Tensor, grad: Tensor, kernel: int, dilation: int) -> Tensor:
    """d/dweight: every channel of every sample correlated with its gradient.

    Positions are dealt to dilation^2 grids first, on each of which the convolution is an undilated one.
    """
    reach = dilation * (kernel - 1) // 2
    seen, wanted = _deal(F.pad(x, (reach,) * 4), dilation), _deal(grad, dilation)
    height, width = wanted.shape[2] + kernel - 1, wanted.shape[3] + kernel - 1
    seen = F.pad(seen, (0, width - seen.shape[3], 0, height - seen.shape[2]))
    count, channels = wanted.shape[:2]
    groups = count * channels
    out = F.conv2d(seen.reshape(1, groups, height, width), wanted.reshape(groups, 1, *wanted.shape[2:]), groups=groups)
    return out.view(count, channels, kernel, kernel).sum(0, dtype=_precise(out))[:, None]


def _precise(x: Tensor) -> torch.dtype:
    """What sums are kept in: float32 at least."""
    return torch.promote_types(x.dtype, torch.float32)


def _deal(x: Tensor, step: int) -> Tensor:
    """(N, C, H, W) -> (step^2 N, C, H', W'): every step-th row and column, zeros where they run out."""
    if step == 1:
        return x.contiguous()
    x = F.pad(x, (0, -x.shape[3] % step, 0, -x.shape[2] % step))
    return torch.cat([x[:, :, i::step, j::step] for i in range(step) for j in range(step)]).contiguous()


def _is_same_depthwise(conv: nn.Conv2d) -> bool:
    side, dilation = conv.kernel_size[0], conv.dilation[0]
    return (
        conv.groups == conv.in_channels == conv.out_channels
        and conv.stride == (1, 1)
        and conv.kernel_size == (side, side)
        and side % 2 == 1
        and conv.dilation == (dilation, dilation)
        and conv.padding == (dilation * (side - 1) // 2,) * 2
    )


def _convolve(conv: nn.Conv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """norm(conv(x)) with the statistics of ``norm``."""
    assert norm.running_var is not None and norm.running_mean is not None
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    weight, bias = conv.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale
    if x.device.type == "cpu" and _is_same_depthwise(conv):
        return _Depthwise.apply(x, weight, bias, conv.dilation[0])
    return F.conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation, conv.groups)


def _forward(layers: nn.Sequential, x: Tensor) -> Tensor:
    """What the sequence computes in evaluation, convolutions and batch norms in one."""
    steps = list(layers)
    index = 0
    while index < len(steps):
        step = steps[index]
        following = steps[index + 1] if index + 1 < len(steps) else None
        if isinstance(step, nn.Conv2d) and step.bias is None and isinstance(following, nn.BatchNorm2d):
            x = _convolve(step, following, x)
            index += 2
        else:
            x = step(x)
            index += 1
    return x


def fuse_batch_norms(layer: nn.Module) -> None:
    """Make a layer's sequences of convolution and batch norm run the fast way, in place; names and values stay."""
    for sequence in _sequences(layer):
        sequence.forward = partial(_forward, sequence)  # type: ignore[method-assign]


def _sequences(layer: nn.Module) -> Iterator[nn.Sequential]:
    for module in layer.modules():
        if isinstance(module, nn.Sequential) and any(isinstance(part, nn.Conv2d) for part in module):
            yield module
