"""Exported networks on this machine: what their files are called, what they belong to, and finding one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from nestfuse_core.common.files import remembered_hash
from nestfuse_core.common.graphs import find_folder
from rgbt_tracker.config import MODALITIES, TrackerConfig
from rgbt_tracker.zoo.entries import SHIPPED

FORMAT = 1
"""Of the graphs; exports of another one are not used."""
MODALITY = {cameras: name for name, cameras in MODALITIES.items()}


def graph_file(part: str, cameras: tuple[str, ...]) -> str:
    """``template_rgbt.onnx``: ``part`` is "template" or "search", and both cameras or one see the target."""
    return f"{part}_{MODALITY[cameras]}.onnx"


def key_of(config: TrackerConfig, weights: Path) -> str:
    """Name of what an export computes: its network, the sides of the crops and the weights; not the tracking loop.

    A configuration of two cameras and the same one of either have the same: one export holds all three.
    """
    facts = {
        "format": FORMAT,
        "model": config.model.model_dump(mode="json"),
        "anchors": config.anchors.count,
        "sides": [config.tracking.exemplar, config.tracking.instance],
        "weights": remembered_hash(weights),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def shipped_folder(name: str) -> Path:
    """Where the export of shipped weights lies, existing or not."""
    return SHIPPED / "onnx" / name


def find_export(config: TrackerConfig, weights: Path) -> Path | None:
    """The folder of an export of these weights for this configuration: shipped with the package, or in the cache."""
    file = graph_file("search", config.modalities)
    return find_folder(key_of(config, weights), shipped_folder("any").parent, file)
