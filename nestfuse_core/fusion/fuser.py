"""Fusing pairs of pictures of any size, depth and colour, and frames over time, with a NestFuse network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.pictures import Image, white_level
from nestfuse_core.fusion import levels, looks, thermal, tiling
from nestfuse_core.fusion.channels import channel_weights, in_one_piece, in_tiles
from nestfuse_core.fusion.colour import luminance, replace_luminance
from nestfuse_core.fusion.details import SMALLEST, halve, with_details
from nestfuse_core.fusion.infrared import faded, infrared_levels
from nestfuse_core.fusion.looks import Look, find_look
from nestfuse_core.fusion.quarters import fuse_in_quarters
from nestfuse_core.fusion.scale import ThermalScale
from nestfuse_core.runtime.choose import open_runtime
from nestfuse_core.runtime.interface import Grey, Runtime

if TYPE_CHECKING:
    from nestfuse_core.model.network import NestFuse

STRATEGIES = ("avg", "max", "nuclear", "add")
WHOLE_PIXELS = 420_000
"""Images up to this size (750x560) go through the network in one piece."""
TILE = 448
"""Largest core of a tile: with its halo about as large as the largest image taken in one piece."""

Levels = Callable[[Grey], Grey]
"""Takes the network's output, HxW, to grey levels 0..255."""


@dataclass
class Fusion:
    """A fused pair.

    Attributes:
        image: the fused picture, with the visible one's size, channels and depth.
        luminance: HxW uint8, the fused luminance on 0..255, and of the sources as they were fused: ir, vis.
        notes: what was done to the input that its owner should know.
        shares: attention maps, infrared's share in [0, 1]: per scale HxW float32; empty unless asked for.
        channel_shares: infrared's share per scale and channel; empty for strategy ``add``.
    """

    image: Image
    luminance: NDArray[np.uint8]
    ir: NDArray[np.uint8]
    vis: NDArray[np.uint8]
    notes: list[str] = field(default_factory=list)
    shares: list[Grey] = field(default_factory=list)
    channel_shares: list[Grey] = field(default_factory=list)


class Fuser:
    """Fuses pairs with one network, each by itself; `video` gives the form for frames over time.

    Args:
        network: in evaluation mode, on its device, or what computes one (`nestfuse_core.open_runtime`); None opens the
            look's own.
        strategy: channel attention ``avg``, ``max`` or ``nuclear`` beside the spatial one (Eq. 4), or ``add``
            (DenseFuse).
        look: a name, ``natural``, ``paper`` or ``equations``, or a `Look`.
        tile: largest core of a tile, a multiple of 8, of what the network sees; None tiles large images only.
        thermal_range: (low, high) that become 0 and 255 for infrared of more than 8 bits; None takes each picture's
            percentiles 0.1 and 99.9, and in `video` a range that follows the camera.
        keep_maps: also return the attention maps; not with a look that cuts pictures in quarters.

    Raises:
        UserError: unknown names, a tile size that does not serve, or maps of quarters.
    """

    def __init__(
        self,
        network: NestFuse | Runtime | None = None,
        strategy: str = "avg",
        look: str | Look = looks.DEFAULT,
        tile: int | None = None,
        thermal_range: thermal.Range | None = None,
        keep_maps: bool = False,
    ) -> None:
        if strategy not in STRATEGIES:
            raise UserError(
                f"Unknown strategy '{strategy}'; expected one of {', '.join(STRATEGIES)}"
                f"{suggestion(strategy, STRATEGIES)}"
            )
        if tile is not None and (tile < 64 or tile % tiling.ALIGN):
            raise UserError(f"Expected a tile size of at least 64 and a multiple of {tiling.ALIGN}, got {tile}.")
        self.look = find_look(look)
        if keep_maps and self.look.quarters:
            raise UserError(
                f"Attention maps (--maps) are of whole pictures, which the look '{self.look.name}' cuts in four; "
                "choose another --look."
            )
        self.runtime = _runtime(network, self.look)
        self.strategy = strategy
        self.tile = tile
        self.thermal_range = thermal_range
        self.keep_maps = keep_maps
        self.on_tile: Callable[[], None] = lambda: None

    def video(self) -> VideoFuser:
        """Return what fuses the frames of one pair of cameras in their order, with levels that do not flicker."""
        return VideoFuser(self)

    def __call__(self, ir: Image, vis: Image, nothing: NDArray[np.bool_] | None = None) -> Fusion:
        """Fuse one pair.

        Args:
            ir: HxW or HxWx3 BGR; uint8, or uint16 or float32 of any range; resampled to the visible picture's size.
                Where it is deep and holds no measurement (`valid_pixels`), the visible picture passes.
            vis: HxW or HxWx3 BGR, uint8 or uint16.
            nothing: HxW of ``ir``, where it shows nothing, as `nestfuse_core.rig.lay.Laying` tells: there too.
        """
        return self.fuse(ir, vis, self.picture_levels, nothing=nothing)

    def fuse(
        self,
        ir: Image,
        vis: Image,
        to_levels: Levels,
        scale: ThermalScale | None = None,
        nothing: NDArray[np.bool_] | None = None,
    ) -> Fusion:
        """Fuse one pair, as `__call__` does, with levels of one's own choice.

        Args:
            ir, vis, nothing: as for `__call__`.
            to_levels: from the network's output to grey levels.
            scale: of the thermal camera whose frames are fused in order, instead of ``thermal_range``.
        """
        white = white_level(vis)
        notes: list[str] = []
        visible = luminance(vis)
        visible *= np.float32(255 / white)
        infrared, seen = infrared_levels(ir, visible, scale or self.thermal_range, notes, nothing)
        shares: list[Grey] = []
        channel_shares: list[Grey] = []
        if self.look.quarters:
            fused = fuse_in_quarters(lambda *part: self.fuse_grey(*part)[0], infrared, visible)
        else:
            fused, shares, channel_shares = self.fuse_grey(infrared, visible)
        levels.check_finite(fused)
        grey = to_levels(fused)
        if seen is not None:
            grey = faded(grey, visible, seen)
        image = replace_luminance(vis, grey * np.float32(white / 255), white)
        if seen is not None:
            image[seen == 0] = vis[seen == 0]
        return Fusion(
            image=image,
            luminance=_eight_bit(grey),
            ir=_eight_bit(infrared),
            vis=_eight_bit(visible),
            notes=notes,
            shares=shares,
            channel_shares=channel_shares,
        )

    def picture_levels(self, fused: Grey) -> Grey:
        """Bring one picture's network output to grey levels 0..255 as the look says."""
        if self.look.levels == "contrast":
            return levels.tone_of(fused)(fused)
        # The sums of DenseFuse's addition leave the grey levels.
        if self.look.levels == "stretch" or self.strategy == "add":
            return levels.stretched(fused)
        return np.clip(fused, 0, 255)

    def fuse_grey(self, ir: Grey, vis: Grey) -> tuple[Grey, list[Grey], list[Grey]]:
        """Fuse grey levels: HxW float32 in 0..255 twice -> the network's output HxW, and the attention maps.

        With a look that halves, the maps are of the pictures at half resolution, and the output, which has its
        details from the sources, may leave 0..255.
        """
        if not self._halves(*vis.shape):
            return self._through_network(ir, vis)
        fused, shares, channel_shares = self._through_network(halve(ir), halve(vis))
        return with_details(fused, ir, vis), shares, channel_shares

    def _halves(self, height: int, width: int) -> bool:
        return self.look.halved and min(height, width) >= SMALLEST

    def _through_network(self, ir: Grey, vis: Grey) -> tuple[Grey, list[Grey], list[Grey]]:
        return self._fuse_whole(ir, vis) if self._whole(*vis.shape) else self._fuse_tiles(ir, vis)

    def _whole(self, height: int, width: int) -> bool:
        return self.tile is None and height * width <= WHOLE_PIXELS

    def _fuse_whole(self, ir: Grey, vis: Grey) -> tuple[Grey, list[Grey], list[Grey]]:
        encoded = [self.runtime.encode(image) for image in (ir, vis)]
        pictures = [in_one_piece(self.runtime, features, (vis.shape[0], vis.shape[1])) for features in encoded]
        weights = None if self.strategy == "add" else channel_weights(pictures, self.strategy)
        output, spatial = self.runtime.fuse(encoded, self.look.spatial, weights, self.keep_maps)
        return output, [_share(weight) for weight in spatial], self._channel_shares(weights)

    def _fuse_tiles(self, ir: Grey, vis: Grey) -> tuple[Grey, list[Grey], list[Grey]]:
        height, width = vis.shape
        side = self.tile or TILE
        weights = None
        if self.strategy != "add":
            pictures = [in_tiles(self.runtime, image, side, self.on_tile) for image in (ir, vis)]
            weights = channel_weights(pictures, self.strategy)
        output = np.empty((height, width), np.float32)
        keep_maps = self.keep_maps and weights is not None
        shares = [np.empty(size, np.float32) for size in tiling.scale_sizes(height, width)] if keep_maps else []
        for tile in tiling.tiles(height, width, side):
            encoded = [self.runtime.encode(tile.cut(image)) for image in (ir, vis)]
            fused, spatial = self.runtime.fuse(encoded, self.look.spatial, weights, keep_maps)
            output[tile.place(0)] = tile.keep(fused, 0)
            for scale, share in enumerate(shares):
                share[tile.place(scale)] = tile.keep(_share(spatial[scale]), scale)
            self.on_tile()
        return output, shares, self._channel_shares(weights)

    def _channel_shares(self, weights: list[NDArray[np.float64]] | None) -> list[Grey]:
        return [weight[0].astype(np.float32) for weight in weights or []] if self.keep_maps else []

    def steps(self, height: int, width: int) -> int:
        """How often ``on_tile`` is called for a picture of this size; the nuclear norm's passes are not counted."""
        if self._halves(height, width):
            height, width = (height + 1) // 2, (width + 1) // 2
        if self._whole(height, width):
            return 0
        side = self.tile or TILE
        encoded = 0 if self.strategy == "add" else 2 * len(tiling.tiles(height, width, side, tiling.ENCODER_HALO))
        return encoded + len(tiling.tiles(height, width, side))


class VideoFuser:
    """Fuses the frames of one pair of cameras in their order; from `Fuser.video`.

    Raw thermal frames share one range that follows the camera (`ThermalScale`), unless the fuser's is fixed; with
    ``natural`` the fused levels follow the sequence (`LevelScale`). The other looks set each frame's by itself.
    """

    def __init__(self, fuser: Fuser) -> None:
        self._fuser = fuser
        self._thermal = ThermalScale() if fuser.thermal_range is None else None
        self._levels = levels.LevelScale()

    def __call__(self, ir: Image, vis: Image, nothing: NDArray[np.bool_] | None = None) -> Fusion:
        """Fuse the next pair of frames, as `Fuser` does a pair."""
        return self._fuser.fuse(ir, vis, self.to_levels, self._thermal, nothing)

    def to_levels(self, fused: Grey) -> Grey:
        """Bring the network's output for the next frame to grey levels 0..255."""
        if self._fuser.look.levels == "contrast":
            return self._levels.follow(fused)(fused)
        return self._fuser.picture_levels(fused)

    def pass_over(self, ir: Image) -> None:
        """Leave out a frame; the scale of the frames after it may depend on its infrared picture."""
        if self._thermal is not None and thermal.needs_scaling(ir):
            self._thermal.follow(thermal.as_grey(ir))


def _eight_bit(grey: Grey) -> NDArray[np.uint8]:
    return np.rint(grey).astype(np.uint8)


def _share(weights: Grey) -> Grey:
    """Infrared's part of (2, h, w) spatial weights over the sum of both: 0.5 where both are silent."""
    total = weights.sum(0)
    return np.divide(weights[0], total, out=np.full_like(total, 0.5), where=total > 0)


def _runtime(network: NestFuse | Runtime | None, look: Look) -> Runtime:
    if network is None:
        return open_runtime(look.weights)
    if isinstance(network, Runtime):
        return network
    from nestfuse_core.runtime.with_torch import TorchRuntime

    return TorchRuntime(network)
