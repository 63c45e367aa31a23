"""Channel attention's weights of whole pictures (Eq. 8, 9), from their features in one piece or tile by tile.

The statistics of tiles combine exactly: means and maxima at once, the nuclear norm through Gram matrices, which are
summed over strips. It is computed in float64, without an SVD, as in `nestfuse_core.model.nuclear`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.fusion.tiling import ENCODER_HALO, Span, Tile, scale_sizes, tiles
from nestfuse_core.model.plan import SCALES, ratios
from nestfuse_core.runtime.interface import Features, Grey, Runtime

GRAM_BYTES = 600_000_000
"""Memory for the Gram matrices of one pass of the nuclear norm."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Parts:
    """A picture of ``size`` (H, W) as tiles, and the features of a tile's core."""

    runtime: Runtime
    size: tuple[int, int]
    tiles: list[Tile]
    features: Callable[[Tile], Features]


def in_one_piece(runtime: Runtime, features: Features, size: tuple[int, int]) -> Parts:
    """A picture whose features are at hand."""
    return Parts(runtime, size, tiles(*size, max(size)), lambda _: features)


def in_tiles(runtime: Runtime, image: Grey, side: int, on_tile: Callable[[], None]) -> Parts:
    """A picture that is encoded in tiles of ``side``; each counts with ``on_tile``."""

    def features(tile: Tile) -> Features:
        found = [tile.keep(scale, number) for number, scale in enumerate(runtime.encode(tile.cut(image)))]
        on_tile()
        return found

    height, width = image.shape
    return Parts(runtime, (height, width), tiles(height, width, side, ENCODER_HALO), features)


def channel_weights(pictures: Sequence[Parts], channel: str) -> list[Numbers]:
    """Return the weights of K pictures of one size: per scale (K, C).

    Args:
        channel: ``avg``, ``max`` or ``nuclear``. The nuclear norms of large pictures come in several passes over the
            picture and take minutes.
    """
    gather = _nuclear if channel == "nuclear" else _pooled
    statistics = [gather(picture, channel) for picture in pictures]
    return [ratios(np.stack([one[scale] for one in statistics])) for scale in range(SCALES)]


def _pooled(picture: Parts, channel: str) -> list[Numbers]:
    totals: list[Numbers] = []
    for tile in picture.tiles:
        features = picture.features(tile)
        # Sums in float64: the mean of twelve million pixels must not depend on how they were cut.
        values = [picture.runtime.pooled(scale, channel) for scale in features]
        if channel == "avg":
            values = [value * np.prod(scale.shape[-2:]) for value, scale in zip(values, features, strict=True)]
        join = np.add if channel == "avg" else np.maximum
        totals = [join(a, b) for a, b in zip(totals, values, strict=True)] if totals else values
    if channel == "avg":
        totals = [total / (h * w) for total, (h, w) in zip(totals, scale_sizes(*picture.size), strict=True)]
    return totals


def _strips(picture: Parts) -> Iterator[list[Tile]]:
    """Tiles that together span the picture's shorter side, strip after strip along the longer one."""
    height, width = picture.size
    ordered: dict[Span, list[Tile]] = {}
    for tile in picture.tiles:
        ordered.setdefault(tile.core[1] if height <= width else tile.core[0], []).append(tile)
    yield from ordered.values()


def _nuclear(picture: Parts, channel: str) -> list[Numbers]:
    """Sum of singular values per channel and scale, from the Gram matrices over the shorter side."""
    norms = []
    for scale, size in enumerate(scale_sizes(*picture.size)):
        group = max(1, GRAM_BYTES // (8 * min(size) ** 2))
        pieces: list[Numbers] = []
        channels = group
        while sum(piece.size for piece in pieces) < channels:
            start = sum(piece.size for piece in pieces)
            gram, channels = _gram(picture, scale, slice(start, start + group))
            pieces.append(np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0)).sum(-1))
        norms.append(np.concatenate(pieces))
    return norms


def _gram(picture: Parts, scale: int, channels: slice) -> tuple[Numbers, int]:
    """Return M M^T over the shorter side for some channels of one scale, and how many channels there are."""
    tall = picture.size[0] > picture.size[1]
    gram: Numbers | None = None
    total = 0
    for strip in _strips(picture):
        parts = []
        for tile in strip:
            feature = picture.runtime.array(picture.features(tile)[scale])
            total = feature.shape[0]
            parts.append(feature[channels].astype(np.float64))
        maps = np.concatenate(parts, -1).swapaxes(-1, -2) if tall else np.concatenate(parts, -2)
        product = maps @ maps.swapaxes(-1, -2)
        gram = product if gram is None else np.add(gram, product, out=gram)
    assert gram is not None
    return gram, total
