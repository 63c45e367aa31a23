"""The network as exported graphs in ONNX Runtime, on a CPU: no torch anywhere.

docs/guides/export.md lists the graphs' names and shapes; this module uses nothing that is not said there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nestfuse_core.common.graphs import GraphFolder, key_in
from rgbt_tracker.runtime.exports import graph_file
from rgbt_tracker.runtime.interface import Answer, Floats, Pixels, State

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
        self.folder = folder
        self._graphs = GraphFolder(folder, threads)

    def template(self, images: Pixels, cameras: tuple[str, ...]) -> State:
        return State(tuple(self._graph("template", cameras).run(None, {"images": images})), cameras)

    def search(self, state: State, images: Pixels, memory: Floats | None = None, maps: bool = False) -> Answer:
        graph = self._graph("search", state.cameras)
        inputs: dict[str, Any] = {f"kernel{number}": kernel for number, kernel in enumerate(state.kernels)}
        inputs["images"] = images
        if memory is not None:
            inputs["memory"] = memory
        names = [output.name for output in graph.get_outputs()]
        wanted = [name for name in names if maps or not name.startswith(MAP)]
        found = dict(zip(wanted, graph.run(wanted, inputs), strict=True))
        shares = {name.removeprefix(MAP): values for name, values in found.items() if name.startswith(MAP)}
        return Answer(found["cls"], found["loc"], found.get("weights"), found.get("next_memory"), shares)

    def stack(self, states: Sequence[State]) -> State:
        if len(states) == 1:
            return states[0]
        kernels = zip(*(state.kernels for state in states), strict=True)
        return State(tuple(np.concatenate(same, 1) for same in kernels), states[0].cameras)

    def digest(self) -> str:
        return key_in(self.folder)

    def facts(self, name: str) -> dict[str, str]:
        """The metadata of a graph's file: "config" (JSON), "key", "cameras", "format"."""
        return self._graphs[name].get_modelmeta().custom_metadata_map

    def _graph(self, part: str, cameras: tuple[str, ...]) -> Any:
        return self._graphs[graph_file(part, cameras)]
