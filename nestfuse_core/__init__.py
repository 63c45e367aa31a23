"""NestFuse: fusion of infrared and visible images, and of feature maps of any number of modalities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nestfuse_core.common.lazy import lazy_exports

if TYPE_CHECKING:
    from nestfuse_core.fusion.fuser import Fuser
    from nestfuse_core.model.attention import fuse_features
    from nestfuse_core.model.network import NestFuse, load_network
    from nestfuse_core.runtime.choose import open_runtime

__all__ = ["Fuser", "NestFuse", "fuse_features", "load_network", "open_runtime"]

__getattr__ = lazy_exports(
    __name__,
    {
        "Fuser": "fusion.fuser",
        "NestFuse": "model.network",
        "fuse_features": "model.attention",
        "load_network": "model.network",
        "open_runtime": "runtime.choose",
    },
)
