"""NestFuse's auto-encoder: an encoder of four scales and a nest (UNet++) decoder.

Li, Wu, Durrani, "NestFuse" (IEEE TIM 69(12), 2020), Fig. 2-4 and Table II. Two versions share the wiring and the
channel counts: ``paper`` (0.46 M parameters) and ``released`` (2.73 M), the authors' code and checkpoints.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nestfuse_core.common.checkpoints import read_checkpoint, state_dict_of
from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.model.attention import fuse_features
from nestfuse_core.model.plan import CHANNELS

VERSIONS = ("paper", "released")
STEM = 16


def check_version(version: str) -> None:
    """Raise a ``UserError`` unless ``version`` is one of the network's."""
    if version not in VERSIONS:
        raise UserError(
            f"Unknown NestFuse version '{version}'; expected paper or released{suggestion(version, VERSIONS)}"
        )


class _ReflectOne(torch.autograd.Function):
    """Reflection padding by one pixel: F.pad's result, several times faster for channels-last and bfloat16 on a CPU."""

    @staticmethod
    def forward(ctx: Any, images: Tensor) -> Tensor:
        n, c, height, width = images.shape
        last = images.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if last else torch.contiguous_format
        size = (n, c, height + 2, width + 2)
        padded = torch.empty(size, dtype=images.dtype, device=images.device, memory_format=layout)
        padded[..., 1:-1, 1:-1] = images
        padded[..., 0, 1:-1], padded[..., -1, 1:-1] = images[..., 1, :], images[..., -2, :]
        padded[..., 0], padded[..., -1] = padded[..., 2], padded[..., -3]
        return padded

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        columns = gradient[..., 1:-1].clone()
        columns[..., 1] += gradient[..., 0]
        columns[..., -2] += gradient[..., -1]
        images = columns[..., 1:-1, :]
        images[..., 1, :] += columns[..., 0, :]
        images[..., -2, :] += columns[..., -1, :]
        return images


def pad_reflect(images: Tensor, left: int, right: int, top: int, bottom: int) -> Tensor:
    """Pad NxCxHxW by reflection; a side of one pixel, which has nothing to reflect, is repeated instead."""
    height, width = images.shape[-2:]
    if left == right == top == bottom == 1 and min(height, width) > 1:
        return _ReflectOne.apply(images)
    for length, pads in ((width, (left, right, 0, 0)), (height, (0, 0, top, bottom))):
        if any(pads):
            images = F.pad(images, pads, mode="reflect" if max(pads) < length else "replicate")
    return images


def halve(features: Tensor) -> Tensor:
    """2x2 max-pooling that leaves a side of one pixel as it is."""
    height, width = features.shape[-2:]
    return F.max_pool2d(features, (min(2, height), min(2, width)))


def enlarge(features: Tensor, like: Tensor) -> Tensor:
    """Upsample x2 (nearest), then reflect-pad to the size of ``like``: the odd pixel goes right and bottom."""
    height, width = like.shape[-2:]
    doubled = F.interpolate(features, scale_factor=2, mode="nearest")[..., :height, :width]
    rows, columns = height - doubled.shape[-2], width - doubled.shape[-1]
    return pad_reflect(doubled, columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)


class ConvLayer(nn.Module):
    """Reflection padding, convolution with bias, ReLU. NxIxHxW -> NxOxHxW."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(inputs, outputs, kernel)
        self.padding = kernel // 2

    def forward(self, images: Tensor) -> Tensor:
        pad = self.padding
        return F.relu(self.conv2d(pad_reflect(images, pad, pad, pad, pad)), inplace=True)


class DenseBlock(nn.Module):
    """The two convolutions that the released code calls ``denseblock``. NxIxHxW -> NxOxHxW."""

    def __init__(self, inputs: int, outputs: int, version: str) -> None:
        super().__init__()
        middle, kernel = (16, 3) if version == "paper" else (inputs // 2, 1)
        self.denseblock = nn.Sequential(ConvLayer(inputs, middle, 3), ConvLayer(middle, outputs, kernel))

    def forward(self, features: Tensor) -> Tensor:
        return self.denseblock(features)


class NestFuse(nn.Module):
    """The network. Images are Nx1xHxW float, grey, 0..255; any size from 1x1; outputs are >= 0 on the same scale.

    Args:
        version: ``paper`` or ``released``; see the module's text.
        deep_supervision: three outputs instead of one (Fig. 4), of increasing depth.

    Attributes:
        output: which of the outputs :meth:`decode` returns unless told; the last at first.
    """

    def __init__(self, version: str = "paper", deep_supervision: bool = False) -> None:
        super().__init__()
        check_version(version)
        self.version = version
        self.deep_supervision = deep_supervision
        self.output = -1
        c1, c2, c3, c4 = CHANNELS
        self.conv0 = ConvLayer(1, STEM, 3 if version == "paper" else 1)
        self.DB1_0 = DenseBlock(STEM, c1, version)
        self.DB2_0 = DenseBlock(c1, c2, version)
        self.DB3_0 = DenseBlock(c2, c3, version)
        self.DB4_0 = DenseBlock(c3, c4, version)
        self.DB1_1 = DenseBlock(c1 + c2, c1, version)
        self.DB2_1 = DenseBlock(c2 + c3, c2, version)
        self.DB3_1 = DenseBlock(c3 + c4, c3, version)
        self.DB1_2 = DenseBlock(2 * c1 + c2, c1, version)
        self.DB2_2 = DenseBlock(2 * c2 + c3, c2, version)
        self.DB1_3 = DenseBlock(3 * c1 + c2, c1, version)
        for name in self.output_names:
            setattr(self, name, ConvLayer(c1, 1, 1))

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the output convolutions, shallow to deep."""
        return ("conv1", "conv2", "conv3") if self.deep_supervision else ("conv_out",)

    def encode(self, images: Tensor) -> list[Tensor]:
        """Nx1xHxW -> features of four scales, taken before pooling: Nx64xHxW, Nx112x(H/2)x(W/2), ..."""
        features = [self.DB1_0(self.conv0(images))]
        for block in (self.DB2_0, self.DB3_0, self.DB4_0):
            features.append(block(halve(features[-1])))
        return features

    @staticmethod
    def fuse(
        encoded: Sequence[Sequence[Tensor]], strategy: str = "attention", spatial: str = "l1", channel: str = "avg"
    ) -> list[Tensor]:
        """Fuse K encoded images scale by scale; see :func:`nestfuse_core.model.attention.fuse_features`."""
        return [fuse_features(scale, strategy, spatial, channel) for scale in zip(*encoded, strict=True)]

    def decode(self, features: Sequence[Tensor], output: int | None = None) -> Tensor:
        """Features of four scales -> Nx1xHxW. ``output`` picks one of three outputs under deep supervision."""
        return self._head(self._nest(features), self.output if output is None else output)

    def decode_all(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Features of four scales -> every output, shallow to deep: three under deep supervision, else one."""
        nest = self._nest(features)
        return [self._head(nest, index) for index in range(len(self.output_names))]

    def _nest(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Return the decoder's three full-resolution nodes d11, d12, d13."""
        e1, e2, e3, e4 = features
        d11 = self.DB1_1(torch.cat([e1, enlarge(e2, e1)], 1))
        d21 = self.DB2_1(torch.cat([e2, enlarge(e3, e2)], 1))
        d31 = self.DB3_1(torch.cat([e3, enlarge(e4, e3)], 1))
        d12 = self.DB1_2(torch.cat([e1, d11, enlarge(d21, e1)], 1))
        d22 = self.DB2_2(torch.cat([e2, d21, enlarge(d31, e2)], 1))
        d13 = self.DB1_3(torch.cat([e1, d11, d12, enlarge(d22, e1)], 1))
        return [d11, d12, d13]

    def _head(self, nest: Sequence[Tensor], output: int) -> Tensor:
        index = range(len(self.output_names))[output]
        node = nest[index] if self.deep_supervision else nest[-1]
        layer = getattr(self, self.output_names[index])
        # bfloat16 has 8 significant bits, no fraction above 128: under autocast the grey levels still come as float32.
        with torch.autocast(node.device.type, enabled=False):
            return layer(node.to(layer.conv2d.weight.dtype))

    def forward(
        self,
        *images: Tensor,
        strategy: str = "attention",
        spatial: str = "l1",
        channel: str = "avg",
        output: int | None = None,
    ) -> Tensor:
        """Reconstruct one batch of images (training), or fuse K >= 2 of them: Nx1xHxW each -> Nx1xHxW."""
        encoded = [self.encode(image) for image in images]
        features = encoded[0] if len(encoded) == 1 else self.fuse(encoded, strategy, spatial, channel)
        return self.decode(features, output)


def _architecture(state: Mapping[str, Tensor], source: str) -> tuple[str, bool]:
    """Return (version, deep supervision) of a state dict, from its keys and shapes."""
    first = state.get("conv0.conv2d.weight")
    if first is None or first.ndim != 4:
        raise UserError(
            f"{source} holds no NestFuse weights: expected keys such as 'conv0.conv2d.weight', "
            f"but got '{next(iter(state))}'."
        )
    return ("released" if first.shape[-1] == 1 else "paper"), "conv3.conv2d.weight" in state


def network_from_state(state: Mapping[str, Tensor], source: str = "The file") -> NestFuse:
    """Build the network that a flat state dict belongs to and load it strictly.

    Raises:
        UserError: not NestFuse's keys, or keys missing, left over or of another shape.
    """
    version, deep_supervision = _architecture(state, source)
    network = NestFuse(version, deep_supervision)
    wanted = network.state_dict()
    missing, extra = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    unlike = [key for key in wanted.keys() & state.keys() if wanted[key].shape != state[key].shape]
    if missing or extra or unlike:
        counts = f"{len(missing)} missing, {len(extra)} left over, {len(unlike)} of another shape"
        example = (missing + extra + sorted(unlike))[0]
        raise UserError(f"{source} does not fit the {version} version of NestFuse: {counts}, such as '{example}'.")
    network.load_state_dict(dict(state))
    return network


def load_network(weights: str | os.PathLike[str] | None = None, device: str | torch.device = "cpu") -> NestFuse:
    """Return a trained network in evaluation mode, version and deep supervision read from the weights.

    Args:
        weights: ``None`` for the shipped default, the name of shipped weights (``nestfuse_core.weights.available()``),
            or a file: a flat state dict such as the authors' ``nestfuse_1e2.model``, or a checkpoint of our training.
        device: where the network goes.

    Raises:
        UserError: no such name or file, or the file holds something else.
    """
    from nestfuse_core.weights import locate

    path = locate(weights)
    network = network_from_state(state_dict_of(read_checkpoint(path)), f"The file '{path}'")
    # The layout in which the CPU's convolutions need not copy their input.
    return network.to(device).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
