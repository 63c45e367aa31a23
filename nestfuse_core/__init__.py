"""NestFuse: fusion of infrared and visible images, and of feature maps of any number of modalities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nestfuse_core.model.attention import fuse_features
    from nestfuse_core.model.network import NestFuse, load_network

__all__ = ["NestFuse", "fuse_features", "load_network"]

_HOMES = {"NestFuse": "model.network", "load_network": "model.network", "fuse_features": "model.attention"}


def __getattr__(name: str) -> Any:
    """Import torch only when something of the package is used, so that command-line help stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
