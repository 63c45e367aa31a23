"""Feature-level fusion between the backbones (or the necks) of the modalities and the rest of the network."""

from __future__ import annotations

from torch import Tensor, nn

from nestfuse_core.model.attention import fuse_features
from rgbt_tracker.config import FusionConfig


class FeatureFusion(nn.Module):
    """NestFuse's strategy on every level: K stacked modalities in, one feature map out. It has no parameters."""

    def __init__(self, config: FusionConfig) -> None:
        super().__init__()
        # Under `reliable` the paper's strategy is one opinion among others.
        self.strategy = "attention" if config.strategy == "reliable" else config.strategy
        self.config = config

    def forward(self, features: list[Tensor]) -> tuple[list[Tensor], list[Tensor | None]]:
        """Fuse every level.

        Args:
            features: one (K, N, C, h, w) tensor a level.

        Returns:
            One (N, C, h, w) tensor a level, and one (K, N, 1, h, w) spatial weight map a level (None where the
            strategy has none). A single modality passes through unchanged.
        """
        if features[0].shape[0] == 1:
            return [level[0] for level in features], [None for _ in features]
        fused, maps = [], []
        for level in features:
            out, weights = fuse_features(
                level, self.strategy, self.config.spatial, self.config.channel, return_weights=True
            )
            fused.append(out)
            maps.append(weights.spatial)
        return fused, maps
