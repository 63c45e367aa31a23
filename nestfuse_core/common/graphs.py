"""ONNX graphs on a CPU, where other programs want to work, too; the folders they are exported to, and who uses them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nestfuse_core.common.devices import check_device, has_cuda
from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.files import cache_directory
from nestfuse_core.common.graph_files import locations
from nestfuse_core.common.reading import read_text

RUNTIMES = ("auto", "torch", "onnx")
WEIGHTS = "weights.bin"
"""The graphs' parameters, which those of a folder share."""
KEY = "key.txt"
"""The name of what a folder's graphs compute."""
AGAIN = "make it again with 'rgbt export'"


class Graph:
    """One exported graph, whose answers may be anybody's.

    Args:
        file: of the graph.
        threads, keeps_memory: see `open_graph`.

    Raises:
        UserError: a file that is missing or damaged.
    """

    def __init__(self, file: Path, threads: int | None = None, keeps_memory: bool = True) -> None:
        if not file.is_file():
            raise UserError(f"Expected '{file.name}' in the export '{file.parent}', found none; {AGAIN}.")
        self.file = file
        _check_files(file)
        self._session = open_graph(file, threads, keeps_memory)
        self.outputs: tuple[str, ...] = tuple(output.name for output in self._session.get_outputs())

    @property
    def facts(self) -> dict[str, str]:
        """What the file says of itself."""
        return self._session.get_modelmeta().custom_metadata_map

    def run(self, inputs: Mapping[str, Any], names: Sequence[str] | None = None) -> dict[str, Any]:
        """What it answers, by name; all of it by default.

        Raises:
            UserError: inputs that it does not take, or an answer that cannot be computed.
        """
        wanted = list(self.outputs if names is None else names)
        try:
            return dict(zip(wanted, self._session.run(wanted, dict(inputs)), strict=True))
        except Exception as error:  # ONNX Runtime's own exceptions have no common base
            first = str(error).splitlines()[0][:300]
            raise UserError(f"Cannot compute the graph '{self.file}' ({first}); {AGAIN}.") from error

    def check(self, name: str, values: Any, shape: tuple[int | None, ...], finite: bool = True) -> None:
        """Refuse an answer that is no (finite) float32 of a shape: of its first axes, where None is any length."""
        import numpy as np  # not for those who only want the names of runtimes

        if isinstance(values, np.ndarray) and values.dtype == np.float32:
            fits = values.ndim >= len(shape) and all(
                due in (None, own) for due, own in zip(shape, values.shape, strict=False)
            )
            if fits and not (finite and not np.isfinite(values).all()):
                return
            given = f"the shape {values.shape}" if not fits else "numbers that are not finite"
        else:
            given = "nothing" if values is None else f"another kind ({getattr(values, 'dtype', type(values).__name__)})"
        due = ", ".join("any" if length is None else str(length) for length in shape)
        raise UserError(
            f"The graph '{self.file}' answers with {given} as '{name}', where {'finite ' * finite}float32 of the shape "
            f"({due}) is due; {AGAIN}."
        )


def _check_files(file: Path) -> None:
    """Refuse a graph whose parameters lie elsewhere than in its folder, whatever ONNX Runtime would do.

    Raises:
        UserError: they do, or the file cannot be read.
    """
    try:
        named = sorted(locations(file.read_bytes()) - {WEIGHTS})
        if (file.parent / WEIGHTS).resolve().parent != file.parent.resolve():
            named.append(f"{WEIGHTS}, a link")
    except (OSError, ValueError) as error:
        raise UserError(f"Cannot read the graph '{file}' ({error}); {AGAIN}.") from error
    if named:
        raise UserError(
            f"The graph '{file}' takes parameters from elsewhere than '{WEIGHTS}' in its folder ({named[0][:80]!r}); "
            f"{AGAIN}."
        )


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
        self._graphs: dict[str, Graph] = {}

    def __getitem__(self, name: str) -> Graph:
        if name not in self._graphs:
            self._graphs[name] = Graph(self.folder / name, *self._options)
        return self._graphs[name]


def key_in(folder: Path) -> str:
    """What an export says that it computes; empty without."""
    file = folder / KEY
    return read_text(file, replace=True, most=1000).strip() if file.is_file() else ""


def cached_folder(key: str) -> Path:
    """Where ``rgbt export`` puts what it is given no folder for, existing or not."""
    return cache_directory() / "exports" / key


def find_folder(key: str, shipped: Path, file: str) -> Path | None:
    """The folder of an export that holds ``file``: one of those in ``shipped``, or in this user's cache."""
    for folder in (*sorted(shipped.glob("*/")), cached_folder(key)):
        if (folder / file).is_file() and key_in(folder) == key:
            return folder
    return None


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
    options.log_severity_level = 4  # what goes wrong is said in a sentence
    options.enable_cpu_mem_arena = options.enable_mem_pattern = keeps_memory
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions have no common base
        first = str(error).splitlines()[0]
        raise UserError(f"Cannot read the graph '{path}' ({first}); {AGAIN}.") from error


def default_threads(most: int = 1) -> int:
    """``OMP_NUM_THREADS`` where it is set to a number, otherwise as many of ``most`` as there are processors."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() and int(given) else min(most, os.cpu_count() or 1)
