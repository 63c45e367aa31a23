"""The network as exported graphs in ONNX Runtime, on a CPU: no torch anywhere.

docs/guides/export.md lists the graphs' names and shapes; this module uses nothing that is not said there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.graphs import open_graph
from rgbt_tracker.runtime.exports import graph_file, key_in
from rgbt_tracker.runtime.interface import Answer, Floats, Pixels, State

AGAIN = "make it again with 'rgbt export'"
MAP = "map_"
"""Before the name of a map among a graph's outputs."""


class OnnxRuntime:
    """See `rgbt_tracker.runtime.interface.Runtime`; a graph is loaded when it is first needed.

    Args:
        folder: of an export.
        threads: that a graph computes with; see `nestfuse_core.common.graphs.open_graph`.

    Raises:
        UserError: from the first use of a graph that is missing or damaged.
    """

    name = "onnx"
    device = "cpu"

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        self.folder, self._threads = folder, threads
        self._graphs: dict[str, Any] = {}

    def template(self, images: Pixels, cameras: tuple[str, ...]) -> State:
        file = graph_file("template", cameras)
        kernels = self._run(file, None, {"images": images})
        for name, kernel in kernels.items():
            self._check(file, name, kernel, (None, images.shape[1]))
        return State(tuple(kernels.values()), cameras)

    def search(self, state: State, images: Pixels, memory: Floats | None = None, maps: bool = False) -> Answer:
        file = graph_file("search", state.cameras)
        inputs: dict[str, Any] = {f"kernel{number}": kernel for number, kernel in enumerate(state.kernels)}
        inputs["images"] = images
        if memory is not None:
            inputs["memory"] = memory
        names = [output.name for output in self._open(file).get_outputs()]
        found = self._run(file, [name for name in names if maps or not name.startswith(MAP)], inputs)
        cameras, targets = images.shape[:2]
        gate = {} if memory is None else {"weights": memory.shape, "next_memory": memory.shape}
        places = dict.fromkeys(("cls", "loc"), (targets, None, None, None))
        shares = {name: (cameras, targets, None, None) for name in found if name.startswith(MAP)}
        for name, shape in {**places, **gate, **shares}.items():
            self._check(file, name, found.get(name), shape)
        _, scores, height, width = found["cls"].shape
        self._check(file, "cls", found["cls"], (targets, scores + scores % 2 or 2, width or 1, width or 1))
        self._check(file, "loc", found["loc"], (targets, 2 * scores, height, width))
        weights, after = (found[name] for name in gate) if gate else (None, None)
        return Answer(
            found["cls"], found["loc"], weights, after, {name.removeprefix(MAP): found[name] for name in shares}
        )

    def stack(self, states: Sequence[State]) -> State:
        if len(states) == 1:
            return states[0]
        kernels = zip(*(state.kernels for state in states), strict=True)
        return State(tuple(np.concatenate(same, 1) for same in kernels), states[0].cameras)

    def digest(self) -> str:
        return key_in(self.folder)

    def facts(self, name: str) -> dict[str, str]:
        """The metadata of a graph's file: "config" (JSON), "key", "cameras", "format"."""
        return self._open(name).get_modelmeta().custom_metadata_map

    def _run(self, file: str, names: list[str] | None, inputs: dict[str, Any]) -> dict[str, Any]:
        """What a graph answers, by name; all of it by default."""
        graph = self._open(file)
        wanted = [output.name for output in graph.get_outputs()] if names is None else names
        try:
            return dict(zip(wanted, graph.run(wanted, inputs), strict=True))
        except Exception as error:  # ONNX Runtime's own exceptions have no common base
            first = str(error).splitlines()[0][:300]
            raise UserError(f"Cannot compute the graph '{self.folder / file}' ({first}); {AGAIN}.") from error

    def _check(self, file: str, name: str, values: Any, shape: tuple[int | None, ...]) -> None:
        """Refuse an answer that is no finite float32 of a shape: of its first axes, where None is any length."""
        if isinstance(values, np.ndarray) and values.dtype == np.float32:
            fits = values.ndim >= len(shape) and all(
                due in (None, own) for due, own in zip(shape, values.shape, strict=False)
            )
            if fits and np.isfinite(values).all():
                return
            given = f"the shape {values.shape}" if not fits else "numbers that are not finite"
        else:
            given = "nothing" if values is None else f"another kind ({getattr(values, 'dtype', type(values).__name__)})"
        due = ", ".join("any" if length is None else str(length) for length in shape)
        raise UserError(
            f"The graph '{self.folder / file}' answers with {given} as '{name}', where finite float32 of the shape "
            f"({due}) is due; {AGAIN}."
        )

    def _open(self, name: str) -> Any:
        if name not in self._graphs:
            if not (self.folder / name).is_file():
                raise UserError(f"Expected '{name}' in the export '{self.folder}', found none; {AGAIN}.")
            self._graphs[name] = open_graph(self.folder / name, self._threads)
        return self._graphs[name]
