"""Networks from configurations."""

from __future__ import annotations

from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.network import SiameseNetwork


def build_network(config: TrackerConfig) -> SiameseNetwork:
    """Return the (untrained) network of a configuration, in training mode, on the CPU."""
    return SiameseNetwork(config.model, config.modalities, config.anchors.count)
