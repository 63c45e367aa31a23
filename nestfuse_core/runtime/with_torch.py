"""The fusion network in torch: any weights, on a CPU or a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nestfuse_core.common.devices import exact
from nestfuse_core.model import inference
from nestfuse_core.model.attention import FusionWeights, channel_statistics, combine, spatial_weights
from nestfuse_core.model.network import NestFuse
from nestfuse_core.model.plan import SCALES
from nestfuse_core.runtime.interface import Features, Grey, band_rows


class TorchRuntime:
    """See `nestfuse_core.runtime.interface.Runtime`; a GPU's convolutions are those of float32 and not of TF32.

    Args:
        network: in evaluation mode, on its device.
    """

    name = "torch"

    def __init__(self, network: NestFuse) -> None:
        self.network = network

    @property
    def _device(self) -> torch.device:
        return next(self.network.parameters()).device

    @torch.inference_mode()
    def encode(self, image: Grey) -> Features:
        with exact(self._device):
            return list(inference.encode(self.network, torch.from_numpy(image)[None, None].to(self._device)))

    @torch.inference_mode()
    def pooled(self, features: Tensor, channel: str) -> NDArray[np.float64]:
        return _array(channel_statistics([features], channel).flatten()).astype(np.float64)

    def array(self, features: Tensor) -> Grey:
        return _array(features[0])

    @torch.inference_mode()
    def fuse(
        self,
        encoded: Sequence[Features],
        spatial: str,
        channel_weights: Sequence[NDArray[np.float64]] | None,
        maps: bool = False,
    ) -> tuple[Grey, list[Grey]]:
        fused, shares = [], []
        for scale in range(SCALES):
            features = [one.pop(0) for one in encoded]
            if channel_weights is None:
                fused.append(features[0].add_(features[1]))
                continue
            over_channels = torch.from_numpy(channel_weights[scale])[:, None, :, None, None].to(features[0])
            over_space = _combine_in_place(features, over_channels, spatial)
            fused.append(features[0])
            if maps:
                shares.append(_array(over_space[:, 0, 0]))
        with exact(self._device):
            return _array(inference.decode(self.network, fused)[0, 0]), shares


def _combine_in_place(features: list[Tensor], channel_weights: Tensor, spatial: str) -> Tensor:
    """Write the fused features into ``features[0]``, on a CPU band by band, so that temporary values stay in the cache.

    Returns:
        The spatial weights, Kx1x1xHxW.
    """
    channels, height, width = features[0].shape[1:]
    rows = band_rows(channels, width) if features[0].device.type == "cpu" else height
    over_space = []
    for top in range(0, height, rows):
        bands = [feature[..., top : top + rows, :] for feature in features]
        over_space.append(spatial_weights(bands, spatial))
        bands[0].copy_(combine(bands, FusionWeights(over_space[-1], channel_weights)))
    return torch.cat(over_space, dim=-2)


def _array(values: Tensor) -> NDArray[Any]:
    return values.float().cpu().numpy()
