"""Writing the graphs of an export, which share one file of parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nestfuse_core.common.files import temporary_folder, write_bytes
from nestfuse_core.common.graphs import KEY, WEIGHTS

SMALL = 1024
"""Bytes up to which a parameter stays in its graph."""
ALIGNED = 64
"""Parameters begin at multiples of this in the file that they share."""


@contextmanager
def exported(models: Mapping[str, Any], key: str, folder: Path) -> Iterator[Path]:
    """Yield a temporary folder with the graphs, for a check; they go to ``folder`` unless that raises an error.

    Args:
        models: file name -> ``onnx.ModelProto``.
        key: the name of what they compute.
    """
    contents = {WEIGHTS: share_parameters(models)}
    contents |= {name: model.SerializeToString() for name, model in models.items()}
    contents[KEY] = f"{key}\n".encode()
    with temporary_folder() as temporary:
        for name, content in contents.items():
            (temporary / name).write_bytes(content)
        yield temporary
    # The key last: without it, or with another one, nothing takes the graphs for these weights'.
    (folder / KEY).unlink(missing_ok=True)
    for name, content in contents.items():
        write_bytes(folder / name, content)


def share_parameters(models: Mapping[str, Any]) -> bytes:
    """Move the parameters of all graphs into one file, `WEIGHTS`, each once; return its content."""
    import onnx

    content, places = bytearray(), {}
    for model in models.values():
        for tensor in model.graph.initializer:
            data = tensor.raw_data
            if len(data) <= SMALL:
                continue
            if data not in places:
                content.extend(bytes(-len(content) % ALIGNED))
                places[data] = len(content)
                content.extend(data)
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            for key, value in (("location", WEIGHTS), ("offset", str(places[data])), ("length", str(len(data)))):
                entry = tensor.external_data.add()
                entry.key, entry.value = key, value
    return bytes(content)
