"""Fusing images of any size in tiles that leave no trace.

Channel attention (Eq. 8, 9) depends on the whole image, so the tiles are encoded twice: once to gather the statistics
of all channels, once to fuse and decode with the global weights. Spatial attention depends on a pixel alone. Every tile
carries a border (halo) as wide as the network sees, and starts at a multiple of 8, so that pooling falls on the same
pixels as in the whole image; the result equals that of the whole image up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nestfuse_core.model.plan import SCALES
from nestfuse_core.runtime.interface import Grey

ALIGN = 2 ** (SCALES - 1)
"""Tiles start at multiples of this, where all four scales have a pixel corner."""
HALO = 48
"""A pixel of the output depends on 47 pixels to either side: 2 + 4 + 8 in the decoder, 3 + 4 + 8 + 16 in the encoder,
and what the corners of the coarser pixels add."""
ENCODER_HALO = 32

Span = tuple[int, int]


@dataclass(frozen=True)
class Tile:
    """One tile of an image of ``size`` (H, W): what it yields (``core``) and what the network is shown (``outer``).

    Both as (start, end) in y and x.
    """

    size: tuple[int, int]
    core: tuple[Span, Span]
    outer: tuple[Span, Span]

    def cut(self, image: Grey) -> Grey:
        """Return the outer part of HxW."""
        (top, bottom), (left, right) = self.outer
        return image[top:bottom, left:right]

    def place(self, scale: int) -> tuple[slice, slice]:
        """Return where the core lies in the whole image's features at ``scale`` (0 is full resolution)."""
        sizes = scale_sizes(*self.size)[scale]
        (top, bottom), (left, right) = (
            (start >> scale, length if end == full else end >> scale)
            for (start, end), full, length in zip(self.core, self.size, sizes, strict=True)
        )
        return slice(top, bottom), slice(left, right)

    def keep(self, features: Any, scale: int) -> Any:
        """Return the core of the tile's features at ``scale``, an array (..., h, w) of any kind."""
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
