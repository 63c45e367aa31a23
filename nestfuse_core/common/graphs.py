"""ONNX graphs on a CPU, where other programs want to work, too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nestfuse_core.common.errors import UserError


def open_graph(path: Path, threads: int | None = None) -> Any:
    """An ``onnxruntime.InferenceSession`` whose waiting threads sleep.

    Args:
        threads: that share an operation; ``OMP_NUM_THREADS``, or else 1, by default.

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
    options.log_severity_level = 4  # what goes wrong is said in a sentence
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions have no common base
        first = str(error).splitlines()[0]
        raise UserError(f"Cannot read the graph '{path}' ({first}); make it again with 'rgbt export'.") from error


def default_threads() -> int:
    """``OMP_NUM_THREADS`` where it is set to a number, otherwise 1."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() and int(given) else 1
