"""Fusing one pair of pictures of any size, depth and colour with a NestFuse network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.pictures import Image, white_level
from nestfuse_core.fusion import thermal, tiling
from nestfuse_core.fusion.colour import luminance, replace_luminance
from nestfuse_core.fusion.quarters import fuse_in_quarters
from nestfuse_core.fusion.scale import ThermalScale
from nestfuse_core.fusion.valid import fill, valid_pixels
from nestfuse_core.model.attention import SPATIAL_KINDS, FusionWeights
from nestfuse_core.model.network import SCALES, NestFuse

STRATEGIES = ("avg", "max", "nuclear", "add")
RANGES = ("stretch", "clip")
WHOLE_PIXELS = 420_000
"""Images up to this size (750x560) go through the network in one piece."""
TILE = 448
"""Largest core of a tile: with its halo about as large as the largest image taken in one piece."""

Grey = NDArray[np.float32]


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


def default_range(strategy: str) -> str:
    """``clip``, but ``stretch`` for ``add``, whose sums leave the grey levels."""
    return "stretch" if strategy == "add" else "clip"


class Fuser:
    """Fuses pairs with one network and one set of options.

    Args:
        network: in evaluation mode, on its device.
        strategy: channel attention ``avg``, ``max`` or ``nuclear`` beside the spatial one (Eq. 4), or ``add``
            (DenseFuse).
        output_range: ``clip`` keeps the grey levels as the network gives them and cuts what leaves 0..255; ``stretch``
            spreads each picture's least and greatest to 0 and 255 and truncates, as the released code does. None takes
            :func:`default_range`.
        tile: largest core of a tile, a multiple of 8; None tiles images above WHOLE_PIXELS only.
        thermal_range: (low, high) that become 0 and 255 for infrared of more than 8 bits, or the scale of the camera
            whose frames are fused in order; None takes each picture's percentiles 0.1 and 99.9.
        keep_maps: also return the attention maps.
        spatial: spatial attention ``l1``, the paper's ratio (Eq. 5), or ``softmax``, the released code's.
        quarters: cut pictures above 512 pixels in four with channel weights of their own, as the released code does
            (``quarters.py``); not together with ``keep_maps``.

    Raises:
        UserError: unknown names, a tile size that does not serve, or maps of quarters.
    """

    def __init__(
        self,
        network: NestFuse,
        strategy: str = "avg",
        output_range: str | None = None,
        tile: int | None = None,
        thermal_range: thermal.Range | ThermalScale | None = None,
        keep_maps: bool = False,
        spatial: str = "l1",
        quarters: bool = False,
    ) -> None:
        known = (
            (strategy, STRATEGIES, "strategy"),
            (output_range, RANGES, "range"),
            (spatial, SPATIAL_KINDS, "spatial"),
        )
        for value, choices, what in known:
            if value is not None and value not in choices:
                raise UserError(
                    f"Unknown {what} '{value}'; expected one of {', '.join(choices)}{suggestion(value, choices)}"
                )
        if tile is not None and (tile < 64 or tile % tiling.ALIGN):
            raise UserError(f"Expected a tile size of at least 64 and a multiple of {tiling.ALIGN}, got {tile}.")
        if keep_maps and quarters:
            raise UserError("Attention maps are of whole pictures; ask for maps (--maps) or for --quarters, not both.")
        self.network = network
        self.strategy = strategy
        self.output_range = output_range or default_range(strategy)
        self.tile = tile
        self.thermal_range = thermal_range
        self.keep_maps = keep_maps
        self.spatial = spatial
        self.quarters = quarters
        self.on_tile: Callable[[], None] = lambda: None

    def __call__(self, ir: Image, vis: Image, nothing: NDArray[np.bool_] | None = None) -> Fusion:
        """Fuse one pair.

        Args:
            ir: HxW or HxWx3 BGR; uint8, or uint16 or float32 of any range; resampled to the visible picture's size.
                Where it is deep and holds no measurement (`valid_pixels`), the visible picture passes.
            vis: HxW or HxWx3 BGR, uint8 or uint16.
            nothing: HxW of ``ir``, where it shows nothing, as `nestfuse_core.rig.lay.Laying` tells: there too.
        """
        white = white_level(vis)
        notes: list[str] = []
        visible = luminance(vis)
        visible *= np.float32(255 / white)
        infrared, missing = self._infrared(ir, visible, notes, nothing)
        shares: list[Grey] = []
        channel_shares: list[Grey] = []
        if self.quarters:
            fused = fuse_in_quarters(lambda *part: self.fuse_grey(*part)[0], infrared, visible)
        else:
            fused, shares, channel_shares = self.fuse_grey(infrared, visible)
        levels = self._to_range(fused)
        if missing is not None:
            levels[missing] = visible[missing]
        image = replace_luminance(vis, levels * np.float32(white / 255), white)
        if missing is not None:
            image[missing] = vis[missing]
        return Fusion(
            image=image,
            luminance=_eight_bit(levels),
            ir=_eight_bit(infrared),
            vis=_eight_bit(visible),
            notes=notes,
            shares=shares,
            channel_shares=channel_shares,
        )

    def pass_over(self, read: Callable[[], Image]) -> None:
        """Leave out a frame; its infrared picture is read if the scale of the frames after it depends on it."""
        if isinstance(self.thermal_range, ThermalScale) and thermal.needs_scaling(ir := read()):
            self.thermal_range.follow(thermal.as_grey(ir))

    def fuse_grey(self, ir: Grey, vis: Grey) -> tuple[Grey, list[Grey], list[Grey]]:
        """Fuse grey levels: HxW float32 in 0..255 twice -> the network's output HxW, >= 0, and the attention maps."""
        height, width = vis.shape
        images = [torch.from_numpy(image)[None, None] for image in (ir, vis)]
        attention, channel = ("add", "avg") if self.strategy == "add" else ("attention", self.strategy)
        if self.tile is None and height * width <= WHOLE_PIXELS:
            output, weights = tiling.fuse_tile(self.network, images, attention, None, self.spatial, channel)
            if not self.keep_maps or not weights:
                return output[0, 0].float().cpu().numpy(), [], []
            return output[0, 0].float().cpu().numpy(), *_shares(weights)
        return self._fuse_tiles(images, attention, channel)

    def _fuse_tiles(self, images: list[Tensor], attention: str, channel: str) -> tuple[Grey, list[Grey], list[Grey]]:
        height, width = images[0].shape[-2:]
        side = self.tile or TILE
        over_channels = None
        if attention == "attention":
            over_channels = tiling.global_channel_weights(self.network, images, channel, side, self.on_tile)
        output = np.empty((height, width), np.float32)
        keep_maps = self.keep_maps and over_channels is not None
        shares = [np.empty(size, np.float32) for size in tiling.scale_sizes(height, width)] if keep_maps else []
        for tile in tiling.tiles(height, width, side):
            cuts = [tile.cut(image) for image in images]
            fused, weights = tiling.fuse_tile(self.network, cuts, attention, over_channels, self.spatial)
            output[tile.place(0)] = tile.keep(fused, 0)[0, 0].float().cpu().numpy()
            for scale, share in enumerate(shares):
                share[tile.place(scale)] = tile.keep(_spatial_share(weights[scale]), scale)[0, 0].cpu().numpy()
            del fused, weights
            self.on_tile()
        channel_shares = (
            [weight[0].flatten().float().cpu().numpy() for weight in over_channels or []] if keep_maps else []
        )
        return output, shares, channel_shares

    def steps(self, height: int, width: int) -> int:
        """How often ``on_tile`` is called for a picture of this size; the nuclear norm's passes are not counted."""
        if self.tile is None and height * width <= WHOLE_PIXELS:
            return 0
        side = self.tile or TILE
        encoded = 0 if self.strategy == "add" else 2 * len(tiling.tiles(height, width, side, tiling.ENCODER_HALO))
        return encoded + len(tiling.tiles(height, width, side))

    def _infrared(
        self, ir: Image, visible: Grey, notes: list[str], nothing: NDArray[np.bool_] | None
    ) -> tuple[Grey, NDArray[np.bool_] | None]:
        """Return the infrared picture as grey levels 0..255 in the visible one's size, and where it holds nothing.

        There it has the visible picture's levels, so that no edge of a rim draws attention; None where it is whole.
        ``notes`` say what was done.
        """
        height, width = visible.shape
        if thermal.is_false_colour(ir):
            notes.append("infrared is coloured; its luminance was used, which a palette may have distorted")
        grey, missing = self._grey_levels(thermal.as_grey(ir), notes)
        if nothing is not None and nothing.any():
            missing = nothing if missing is None else missing | nothing
        if grey.shape != (height, width):
            notes.append(f"infrared {grey.shape[1]}x{grey.shape[0]} was resampled to {width}x{height}")
            ratio = grey.shape[1] / grey.shape[0] * height / width
            if abs(ratio - 1) > 0.02:
                notes.append("the two pictures differ in shape, so they may not show the same view; align them first")
            grey = thermal.resize_to(grey, width, height)
            if missing is not None:
                missing = cv2.resize(missing.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0
        if missing is not None:
            grey = np.where(missing, visible, grey)
        return grey, missing

    def _grey_levels(self, grey: Image, notes: list[str]) -> tuple[Grey, NDArray[np.bool_] | None]:
        """HxW of any depth -> HxW float32 in 0..255, and where it holds no measurement (None: it is whole)."""
        if not thermal.needs_scaling(grey):
            return np.ascontiguousarray(grey, np.float32), None
        valid = valid_pixels(grey)
        depth = "16-bit" if grey.dtype == np.uint16 else "floating-point"
        if isinstance(self.thermal_range, ThermalScale):
            limits = self.thermal_range.follow(grey, valid)
            notes.append(f"{depth} infrared: one steady range for all frames became 0 to 255")
        else:
            limits = self.thermal_range or thermal.robust_range([grey])
            how = "as given" if self.thermal_range else "percentiles 0.1 and 99.9"
            notes.append(f"{depth} infrared: {limits[0]:g} to {limits[1]:g} ({how}) became 0 to 255")
        levels = thermal.to_grey_levels(grey, limits)
        if valid.all():
            return levels, None
        notes.append("infrared holds no measurement in a part of the picture; the visible picture passes there")
        return fill(levels, valid), ~valid

    def _to_range(self, fused: Grey) -> Grey:
        """Bring the network's output to grey levels 0..255, float."""
        if not np.isfinite(fused).all():
            raise UserError("The network's output is not finite; the weights are damaged or not NestFuse's.")
        low, high = float(fused.min()), float(fused.max())
        if self.output_range == "stretch" and high > low:
            # Divided first: the greatest level is then 255 exactly, and truncation cannot make it 254.
            span = np.float32(high) - np.float32(low)
            return np.floor((fused - np.float32(low)) / span * np.float32(255))
        return np.clip(fused, 0, 255)


def _eight_bit(levels: Grey) -> NDArray[np.uint8]:
    return np.rint(levels).astype(np.uint8)


def _spatial_share(weights: FusionWeights) -> Tensor:
    """Infrared's spatial weight over the sum of both: 1x1xHxW, 0.5 where both are silent."""
    assert weights.spatial is not None
    ir, vis = weights.spatial.float()
    total = ir + vis
    return torch.where(total > 0, ir / total, 0.5)


def _shares(weights: list[FusionWeights]) -> tuple[list[Grey], list[Grey]]:
    spatial = [_spatial_share(weight)[0, 0].cpu().numpy() for weight in weights]
    channel = [weight.channel[0].flatten().float().cpu().numpy() for weight in weights if weight.channel is not None]
    assert len(spatial) == len(channel) == SCALES
    return spatial, channel
