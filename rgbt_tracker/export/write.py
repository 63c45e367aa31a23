"""Writing an export: traced, described, checked, and only then moved to where it is wanted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nestfuse_core.export.folder import exported
from nestfuse_core.export.tracing import describe
from rgbt_tracker.config import MODALITIES, TrackerConfig
from rgbt_tracker.export.check import Difference, compare, refuse
from rgbt_tracker.export.graphs import trace
from rgbt_tracker.models.build import build_network
from rgbt_tracker.models.load import load_weights
from rgbt_tracker.runtime.exports import FORMAT, graph_file, key_of
from rgbt_tracker.runtime.with_onnx import OnnxRuntime
from rgbt_tracker.runtime.with_torch import TorchRuntime


def export(
    config: TrackerConfig,
    weights: Path,
    folder: Path,
    frames: int = 20,
    on_step: Callable[[str], None] = lambda step: None,
) -> list[Difference]:
    """Write the network of a configuration, with its cameras and with each by itself, into ``folder``.

    Args:
        frames: that the graphs are checked on.
        on_step: called with what is done next.

    Returns:
        The largest differences from torch, by cameras.

    Raises:
        UserError: weights that do not fit, no form in ONNX, or graphs that answer otherwise; nothing is written then.
    """
    network = build_network(config)
    load_weights(network, config, weights)
    network.eval()
    models: dict[str, Any] = {}
    for name in MODALITIES if len(config.modalities) > 1 else (config.modality,):
        cameras = MODALITIES[name]
        on_step(f"tracing {name}")
        for part, model in trace(network, config, cameras).items():
            describe(model, {**_facts(config, weights), "cameras": ",".join(cameras)})
            models[graph_file(part, cameras)] = model
    with exported(models, key_of(config, weights), folder) as temporary:
        on_step("checking")
        differences = compare(config, TorchRuntime(network), OnnxRuntime(temporary), frames)
        refuse(differences)
    return differences


def _facts(config: TrackerConfig, weights: Path) -> dict[str, str]:
    return {
        "format": str(FORMAT),
        "config": json.dumps(config.model_dump(mode="json")),
        "key": key_of(config, weights),
    }
