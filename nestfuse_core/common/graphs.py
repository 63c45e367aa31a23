"""ONNX graphs on a CPU, where other programs want to work, too; the folders they are exported to, and who uses them."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nestfuse_core.common.devices import check_device, has_cuda
from nestfuse_core.common.errors import UserError, suggestion

RUNTIMES = ("auto", "torch", "onnx")
WEIGHTS = "weights.bin"
"""The graphs' parameters, which those of a folder share."""
KEY = "key.txt"
"""The name of what a folder's graphs compute."""


class GraphFolder:
    """The graphs of an export by file name, each opened when it is first asked for.

    Args:
        folder: of an export.
        threads, keeps_memory: see `open_graph`.

    Raises:
        UserError: from asking for a graph that is missing or damaged.
    """

    def __init__(self, folder: Path, threads: int | None = None, keeps_memory: bool = True) -> None:
        self.folder, self._options = folder, (threads, keeps_memory)
        self._graphs: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """The ``onnxruntime.InferenceSession`` of a file."""
        if name not in self._graphs:
            if not (self.folder / name).is_file():
                raise UserError(
                    f"Expected '{name}' in the export '{self.folder}', found none; make it with 'rgbt export'."
                )
            self._graphs[name] = open_graph(self.folder / name, *self._options)
        return self._graphs[name]


def key_in(folder: Path) -> str:
    """What an export says that it computes; empty without."""
    file = folder / KEY
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


def uses_onnx(runtime: str, device: str, folder: Path | None = None) -> bool:
    """Whether ONNX Runtime is to compute, as far as there is an export.

    Args:
        runtime: ``auto`` takes ONNX on a CPU where ONNX Runtime is installed.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        folder: of an export that was given for the weights.

    Raises:
        UserError: an unknown runtime, ONNX on another device than a CPU, or an export for torch.
    """
    if runtime not in RUNTIMES:
        raise UserError(f"Unknown runtime '{runtime}'; expected auto, torch or onnx{suggestion(runtime, RUNTIMES)}")
    given = folder is not None
    on_cpu = check_device(device).startswith("cpu") or (device == "auto" and (given or not has_cuda()))
    if runtime == "torch" or (runtime == "auto" and not given and not (on_cpu and find_spec("onnxruntime"))):
        if given:
            raise UserError(f"Expected a weights file for --runtime torch, got the folder of an export, '{folder}'.")
        return False
    if not on_cpu:
        raise UserError(f"The runtime 'onnx' computes on a CPU, but the device is '{device}'; give --device cpu.")
    return True


def open_graph(path: Path, threads: int | None = None, keeps_memory: bool = True) -> Any:
    """An ``onnxruntime.InferenceSession`` whose waiting threads sleep.

    Args:
        threads: that share an operation; ``OMP_NUM_THREADS``, or else 1, by default.
        keeps_memory: whether the graph keeps what it once used, in blocks that double: faster for small values, and
            several times the memory for whole pictures, whose sizes change besides.

    Raises:
        UserError: no ONNX Runtime, or a file that it cannot read.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(f"This needs ONNX Runtime: type pip install onnxruntime ({error}).") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = default_threads() if threads is None else threads
    options.inter_op_num_threads = 1
    # A thread that spins while it waits takes the processor from whatever else runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = options.enable_mem_pattern = keeps_memory
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions have no common base
        first = str(error).splitlines()[0]
        raise UserError(f"Cannot read the graph '{path}' ({first}); make it again with 'rgbt export'.") from error


def default_threads(most: int = 1) -> int:
    """``OMP_NUM_THREADS`` where it is set to a number, otherwise as many of ``most`` as there are processors."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() and int(given) else min(most, os.cpu_count() or 1)
