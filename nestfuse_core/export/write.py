"""Writing an export of the fusion network: traced, described, checked, and only then moved to where it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nestfuse_core.common.errors import UserError
from nestfuse_core.export.folder import exported
from nestfuse_core.export.graphs import trace
from nestfuse_core.export.tracing import describe
from nestfuse_core.fusion.fuser import STRATEGIES, Fuser
from nestfuse_core.fusion.looks import LOOKS
from nestfuse_core.model.network import load_network
from nestfuse_core.runtime.exports import FORMAT, key_of
from nestfuse_core.runtime.interface import Grey, Runtime
from nestfuse_core.runtime.with_onnx import OnnxRuntime
from nestfuse_core.runtime.with_torch import TorchRuntime
from nestfuse_core.weights import locate

LEVELS = 0.01
"""Largest difference of the network's output, in grey levels of 0..255, that is let pass."""


def export(weights: str | Path, folder: Path, pairs: Sequence[tuple[Grey, Grey]]) -> float:
    """Write the network of a weights file, or a shipped name, into ``folder``.

    Args:
        pairs: of infrared and visible pictures, HxW in 0..255, that the graphs are checked on with every look and
            strategy.

    Returns:
        The largest difference from torch, in grey levels.

    Raises:
        UserError: weights that do not fit, or graphs that answer otherwise; nothing is written then.
    """
    file = locate(weights)
    network = load_network(file)
    models, key = trace(network), key_of(file)
    for model in models.values():
        describe(model, {"format": str(FORMAT), "version": network.version, "key": key})
    with exported(models, key, folder) as temporary:
        found = difference(TorchRuntime(network), OnnxRuntime(temporary), pairs)
        if not found <= LEVELS:
            raise UserError(
                f"The exported graphs differ from torch by {found:.4f} grey levels, more than {LEVELS}; nothing was "
                "written."
            )
    return found


def difference(expected: Runtime, found: Runtime, pairs: Sequence[tuple[Grey, Grey]]) -> float:
    """The largest one of two runtimes' outputs, in grey levels of 0..255, over all looks and strategies."""
    apart = 0.0
    for ir, vis in pairs:
        for look in {(look.spatial, look.halved): look for look in LOOKS.values()}.values():
            for strategy in STRATEGIES:
                outputs = [Fuser(runtime, strategy, look).fuse_grey(ir, vis)[0] for runtime in (expected, found)]
                scale = max(1.0, float(outputs[0].max()) / 255)  # of sums (add), which go beyond
                apart = max(apart, float(np.abs(outputs[0] - outputs[1]).max()) / scale)
    return apart
