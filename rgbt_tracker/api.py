"""Building a tracker in one call."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nestfuse_core.common.devices import select_device
from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import Modality, TrackerConfig, load_config

if TYPE_CHECKING:
    from rgbt_tracker.runtime.interface import Runtime
    from rgbt_tracker.tracking.tracker import Tracker

UNTRAINED = "untrained"
"""Pass this as ``weights`` for a network with fresh random values."""


def build_tracker(
    config: str | os.PathLike[str] | TrackerConfig,
    weights: str | os.PathLike[str] | None = None,
    device: str = "auto",
    modality: Modality | None = None,
    runtime: str = "auto",
    threads: int | None = None,
) -> Tracker:
    """Return a tracker that is ready for ``initialize(rgb, ir, box)``.

    Args:
        config: a name (``rgbt_tracker.config.config_names()``), one of our YAML files, or a PySOT YAML file.
        weights: a file, a name of ``rgbt weights list``, the folder of an export, or ``"untrained"``; the
            configuration's own by default.
        device: ``auto`` (CUDA where present), ``cpu``, ``cuda`` or ``cuda:N``.
        modality: ``rgbt``, ``rgb`` or ``ir``; the configuration's own by default.
        runtime: ``torch``, ``onnx`` (see `rgbt_tracker.export`), or ``auto``: ONNX on a CPU where ONNX Runtime is
            installed and an export of the weights exists, torch otherwise.
        threads: of the CPU, in torch for the whole process; each runtime's own choice by default.

    Raises:
        UserError: anything that does not fit, with what to type instead.

    Example:
        >>> tracker = build_tracker("nestfuse_nanotrack", weights="untrained", device="cpu")
        >>> tracker.config.modalities
        ('rgb', 'ir')
    """
    from rgbt_tracker.runtime.choose import choose_onnx
    from rgbt_tracker.tracking.tracker import Tracker

    settings = load_config(config)
    if modality is not None:
        settings = settings.replace(modality=modality)
    name = settings.weights_or(weights)
    found: Runtime | None = None
    if str(name) != UNTRAINED:
        found = choose_onnx(settings, name, device, runtime, threads)
    elif runtime == "onnx":
        raise UserError("An untrained network has no export; leave --runtime out.")
    return Tracker(settings, found or _torch_runtime(settings, name, device, threads))


def _torch_runtime(
    settings: TrackerConfig, weights: str | os.PathLike[str], device: str, threads: int | None
) -> Runtime:
    import torch

    from rgbt_tracker.models.build import build_network
    from rgbt_tracker.models.inference import prepare_for_inference
    from rgbt_tracker.models.load import load_weights
    from rgbt_tracker.runtime.with_torch import TorchRuntime

    if threads is not None:
        torch.set_num_threads(threads)
    chosen = select_device(device)
    if str(weights) == UNTRAINED:
        torch.manual_seed(0)
        network = build_network(settings)
    else:
        from rgbt_tracker.zoo import resolve

        network = build_network(settings)
        load_weights(network, settings, resolve(weights))
    if settings.inference == "fast":
        prepare_for_inference(network)
    return TorchRuntime(network.to(chosen).eval(), chosen)
