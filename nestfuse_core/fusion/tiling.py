"""Fusing images of any size in tiles that leave no trace.

Channel attention (Eq. 8, 9) depends on the whole image, so the tiles are encoded twice: once to gather the statistics
of all channels, once to fuse and decode with the global weights. Spatial attention depends on a pixel alone. Every tile
carries a border (halo) as wide as the network sees, and starts at a multiple of 8, so that pooling falls on the same
pixels as in the whole image; the result equals that of the whole image up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nestfuse_core.model import inference
from nestfuse_core.model.attention import FusionWeights, channel_statistics, combine, ratio_weights, spatial_weights
from nestfuse_core.model.network import SCALES, NestFuse

ALIGN = 2 ** (SCALES - 1)
"""Tiles start at multiples of this, where all four scales have a pixel corner."""
HALO = 48
"""A pixel of the output depends on 47 pixels to either side: 2 + 4 + 8 in the decoder, 3 + 4 + 8 + 16 in the encoder,
and what the corners of the coarser pixels add."""
ENCODER_HALO = 32
BAND_VALUES = 1 << 18
"""Features combined at once: 1 MB."""
GRAM_BYTES = 600_000_000
"""Memory for the Gram matrices of one pass of the nuclear norm."""

Grey = NDArray[np.float32]
Span = tuple[int, int]


@dataclass(frozen=True)
class Tile:
    """One tile of an image of ``size`` (H, W): what it yields (``core``) and what the network is shown (``outer``).

    Both as (start, end) in y and x.
    """

    size: tuple[int, int]
    core: tuple[Span, Span]
    outer: tuple[Span, Span]

    def cut(self, image: Tensor) -> Tensor:
        """Return the outer part of (..., H, W)."""
        (top, bottom), (left, right) = self.outer
        return image[..., top:bottom, left:right]

    def place(self, scale: int) -> tuple[slice, slice]:
        """Return where the core lies in the whole image's features at ``scale`` (0 is full resolution)."""
        sizes = scale_sizes(*self.size)[scale]
        (top, bottom), (left, right) = (
            (start >> scale, length if end == full else end >> scale)
            for (start, end), full, length in zip(self.core, self.size, sizes, strict=True)
        )
        return slice(top, bottom), slice(left, right)

    def keep(self, features: Tensor, scale: int) -> Tensor:
        """Return the core of the tile's features at ``scale``."""
        rows, columns = self.place(scale)
        top, left = self.outer[0][0] >> scale, self.outer[1][0] >> scale
        return features[..., rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def spans(length: int, tile: int, halo: int) -> list[tuple[Span, Span]]:
    """Cut ``length`` pixels into cores of about equal size, at most ``tile`` long, each with its halo."""
    count = -(-length // tile)
    step = -(-length // (count * ALIGN)) * ALIGN
    starts = range(0, length, step)
    cores = [(start, min(start + step, length)) for start in starts]
    return [((start, end), (max(0, start - halo), min(length, end + halo))) for start, end in cores]


def tiles(height: int, width: int, tile: int, halo: int = HALO) -> list[Tile]:
    """Cut an image into tiles with cores of at most ``tile`` pixels a side (a multiple of 8)."""
    return [
        Tile((height, width), (y_core, x_core), (y_outer, x_outer))
        for y_core, y_outer in spans(height, tile, halo)
        for x_core, x_outer in spans(width, tile, halo)
    ]


def scale_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of the features at each scale: halved and rounded down, but never below one pixel."""
    return [(max(1, height >> scale), max(1, width >> scale)) for scale in range(SCALES)]


@torch.inference_mode()
def global_channel_weights(
    network: NestFuse, images: list[Tensor], channel: str, tile: int, on_tile: Callable[[], None]
) -> list[Tensor]:
    """Return the channel attention's weights of whole images, gathered tile by tile: per scale Kx1xCx1x1.

    Args:
        images: K tensors 1x1xHxW on the CPU, 0..255.
        channel: ``avg``, ``max`` or ``nuclear``. The nuclear norm is exact too, from Gram matrices summed over strips;
            those of large images come in several passes over the image and take minutes.
    """
    gather = _nuclear_statistics if channel == "nuclear" else _pooled_statistics
    statistics = [gather(network, image, channel, tile, on_tile) for image in images]
    return [ratio_weights(torch.stack([one[scale] for one in statistics])) for scale in range(SCALES)]


def _encoded(network: NestFuse, image: Tensor, tile: Tile) -> list[Tensor]:
    """Return the tile's features at every scale, its core only."""
    device = next(network.parameters()).device
    features = inference.encode(network, tile.cut(image).to(device))
    return [tile.keep(feature, scale) for scale, feature in enumerate(features)]


def _pooled_statistics(
    network: NestFuse, image: Tensor, channel: str, tile: int, on_tile: Callable[[], None]
) -> list[Tensor]:
    height, width = image.shape[-2:]
    totals: list[Tensor] = []
    for part in tiles(height, width, tile, ENCODER_HALO):
        features = _encoded(network, image, part)
        # float64: the mean of twelve million pixels must not depend on how they were cut.
        values = [channel_statistics([feature.double()], channel)[0] for feature in features]
        if channel == "avg":
            values = [value * (f.shape[-2] * f.shape[-1]) for value, f in zip(values, features, strict=True)]
        join = torch.add if channel == "avg" else torch.maximum
        totals = [join(a, b) for a, b in zip(totals, values, strict=True)] if totals else values
        on_tile()
    if channel == "avg":
        totals = [total / (h * w) for total, (h, w) in zip(totals, scale_sizes(height, width), strict=True)]
    return totals


def _strips(image: Tensor, tile: int) -> Iterator[list[Tile]]:
    """Tiles that together span the image's shorter side, strip after strip along the longer one."""
    height, width = image.shape[-2:]
    ordered: dict[Span, list[Tile]] = {}
    for part in tiles(height, width, tile, ENCODER_HALO):
        ordered.setdefault(part.core[1] if height <= width else part.core[0], []).append(part)
    yield from ordered.values()


def _nuclear_statistics(
    network: NestFuse, image: Tensor, channel: str, tile: int, on_tile: Callable[[], None]
) -> list[Tensor]:
    """Sum of singular values per channel and scale, from the Gram matrices over the shorter side."""
    height, width = image.shape[-2:]
    norms = []
    for scale, size in enumerate(scale_sizes(height, width)):
        group = max(1, GRAM_BYTES // (8 * min(size) ** 2))
        pieces: list[Tensor] = []
        channels = group
        while sum(piece.numel() for piece in pieces) < channels:
            start = sum(piece.numel() for piece in pieces)
            gram, channels = _gram(network, image, tile, scale, slice(start, start + group), on_tile)
            pieces.append(torch.cat([torch.linalg.eigvalsh(one).clamp_min(0).sqrt().sum()[None] for one in gram]))
        norms.append(torch.cat(pieces)[None, :, None, None])
    return norms


def _gram(
    network: NestFuse, image: Tensor, tile: int, scale: int, channels: slice, on_tile: Callable[[], None]
) -> tuple[Tensor, int]:
    """Return M M^T over the shorter side for some channels of one scale, float64, and how many channels there are."""
    tall = image.shape[-2] > image.shape[-1]
    gram: Tensor | None = None
    total = 0
    for strip in _strips(image, tile):
        parts = []
        for part in strip:
            feature = _encoded(network, image, part)[scale][0]
            total = feature.shape[0]
            parts.append(feature[channels].double())
            on_tile()
        maps = torch.cat(parts, dim=-1).mT if tall else torch.cat(parts, dim=-2)
        gram = maps @ maps.mT if gram is None else torch.baddbmm(gram, maps, maps.mT)
    assert gram is not None
    return gram, total


@torch.inference_mode()
def fuse_tile(
    network: NestFuse,
    images: list[Tensor],
    strategy: str,
    channel_weights: list[Tensor] | None,
    spatial: str = "l1",
    channel: str = "avg",
) -> tuple[Tensor, list[FusionWeights]]:
    """Fuse one tile, or a whole image: K tensors 1x1xHxW -> 1x1xHxW and the weights of every scale.

    Args:
        strategy: ``attention`` or ``add``.
        channel_weights: per scale Kx1xCx1x1 from the whole image, or None to take them from this tile.
    """
    device = next(network.parameters()).device
    encoded = [inference.encode(network, image.to(device)) for image in images]
    fused, weights = [], []
    for scale in range(SCALES):
        features = [one[scale] for one in encoded]
        if strategy == "add":
            fused.append(features[0].add_(features[1]))
            continue
        if channel_weights is None:
            over_channels = ratio_weights(channel_statistics(features, channel))
        else:
            over_channels = channel_weights[scale].to(features[0])
        weights.append(_combine_in_place(features, over_channels, spatial))
        fused.append(features[0])
    encoded.clear()
    return inference.decode(network, fused), weights


def _combine_in_place(features: list[Tensor], channel_weights: Tensor, spatial: str) -> FusionWeights:
    """Write the fused features into ``features[0]``, band by band, so that temporary values stay in the cache."""
    width, channels = features[0].shape[-1], features[0].shape[1]
    rows = max(1, BAND_VALUES // (width * channels))
    over_space = []
    for top in range(0, features[0].shape[-2], rows):
        bands = [feature[..., top : top + rows, :] for feature in features]
        over_space.append(spatial_weights(bands, spatial))
        bands[0].copy_(combine(bands, FusionWeights(over_space[-1], channel_weights)))
    return FusionWeights(torch.cat(over_space, dim=-2), channel_weights)
