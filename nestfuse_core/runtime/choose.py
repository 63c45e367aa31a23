"""Which runtime computes the fusion network: torch, or ONNX Runtime with an export."""

from __future__ import annotations

import os

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import expanded
from nestfuse_core.common.graphs import uses_onnx
from nestfuse_core.runtime.exports import find_export
from nestfuse_core.runtime.interface import Runtime
from nestfuse_core.runtime.with_onnx import OnnxRuntime
from nestfuse_core.weights import locate


def open_runtime(
    weights: str | os.PathLike[str] | None = None,
    device: str = "cpu",
    runtime: str = "auto",
    threads: int | None = None,
) -> Runtime:
    """Return a trained fusion network, ready to compute.

    Args:
        weights: ``None`` for the shipped default, a shipped name, a file (`nestfuse_core.load_network`), or the folder
            of an export (``rgbt export fusion``).
        device: ``auto`` (CUDA where present), ``cpu``, ``cuda`` or ``cuda:N``.
        runtime: ``torch``, ``onnx``, or ``auto``: ONNX on a CPU where ONNX Runtime is installed and an export exists,
            as of the shipped weights, torch otherwise.
        threads: of ONNX Runtime (`nestfuse_core.runtime.with_onnx`); torch's are the process's.

    Raises:
        UserError: no such weights, an unknown name, or ONNX where it cannot be had.
    """
    folder = None if weights is None else expanded(weights)
    given = folder if folder is not None and folder.is_dir() else None
    if uses_onnx(runtime, device, given):
        place = given or find_export(locate(weights))
        if place is not None:
            return OnnxRuntime(place, threads)
        if runtime == "onnx":
            raise UserError(
                f"There is no export of the weights '{weights}': make it with 'rgbt export fusion --weights "
                f"{weights}', or leave --runtime out."
            )
    from nestfuse_core.common.devices import select_device
    from nestfuse_core.model.network import load_network
    from nestfuse_core.runtime.with_torch import TorchRuntime

    return TorchRuntime(load_network(weights, select_device(device)))
