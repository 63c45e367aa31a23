"""Exports of the fusion network on this machine: what they belong to, and finding one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from nestfuse_core.common.files import remembered_hash
from nestfuse_core.common.graphs import find_folder
from nestfuse_core.weights import FOLDER

FORMAT = 1
"""Of the graphs; exports of another one are not used."""
ENCODE, DECODE = "encode.onnx", "decode.onnx"


def attend(spatial: str) -> str:
    """The file of the graph with that spatial attention: ``attend_l1.onnx``."""
    return f"attend_{spatial}.onnx"


def key_of(weights: Path) -> str:
    """Name of what an export of a weights file computes."""
    return hashlib.sha256(f"{FORMAT} {remembered_hash(weights)}".encode()).hexdigest()[:32]


def shipped_folder(name: str) -> Path:
    """Where the export of shipped weights lies, existing or not."""
    return FOLDER / "onnx" / name


def find_export(weights: Path) -> Path | None:
    """The folder of an export of a weights file: shipped with the package, or in this user's cache."""
    return find_folder(key_of(weights), shipped_folder("any").parent, ENCODE)
