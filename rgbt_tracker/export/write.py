"""Writing an export: traced, described, checked, and only then moved to where it is wanted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nestfuse_core.export.folder import exported
from nestfuse_core.export.tracing import describe
from rgbt_tracker.config import MODALITIES, TrackerConfig
from rgbt_tracker.export.check import Difference, compare, refuse
from rgbt_tracker.export.graphs import trace
from rgbt_tracker.export.integers import quantised, search_inputs
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
    sequences: Sequence[str] = (),
) -> list[Difference]:
    """Write the network of a configuration, with its cameras and with each by itself, into ``folder``.

    Args:
        frames: that the graphs are checked on.
        on_step: called with what is done next.
        sequences: that the ranges of 8-bit integers come from (`integers`); floats without.

    Returns:
        The largest differences from torch, by cameras.

    Raises:
        UserError: weights that do not fit, no form in ONNX, graphs of floats that answer otherwise, or a sequence that
            cannot be tracked; nothing is written then.
    """
    network = build_network(config)
    load_weights(network, config, weights)
    network.eval()
    models: dict[tuple[str, ...], dict[str, Any]] = {}
    key = key_of(config, weights)
    for name in MODALITIES if len(config.modalities) > 1 else (config.modality,):
        cameras = MODALITIES[name]
        on_step(f"tracing {name}")
        models[cameras] = trace(network, config, cameras)
        if sequences:
            on_step(f"integers of {name}")
            search = quantised(
                models[cameras]["search"], search_inputs(config.replace(modality=name), network, sequences)
            )
            models[cameras]["search"] = search
            # Nobody is to take these for the weights' own answers.
            key = hashlib.sha256(key.encode() + search.SerializeToString()).hexdigest()[:32]
    files = {graph_file(part, cameras): model for cameras, parts in models.items() for part, model in parts.items()}
    for cameras, parts in models.items():
        for model in parts.values():
            describe(model, {**_facts(config), "key": key, "cameras": ",".join(cameras)})
    with exported(files, key, folder) as temporary:
        on_step("checking")
        differences = compare(config, TorchRuntime(network), OnnxRuntime(temporary), frames)
        if not sequences:
            refuse(differences)
    return differences


def _facts(config: TrackerConfig) -> dict[str, str]:
    return {"format": str(FORMAT), "config": json.dumps(config.model_dump(mode="json"))}
