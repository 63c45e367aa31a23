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
        graph = self._graphs[graph_file("template", cameras)]
        kernels = graph.run({"images": images})
        for name, kernel in kernels.items():
            graph.check(name, kernel, (None, images.shape[1]))
        return State(tuple(kernels.values()), cameras)

    def search(self, state: State, images: Pixels, memory: Floats | None = None, maps: bool = False) -> Answer:
        graph = self._graphs[graph_file("search", state.cameras)]
        inputs: dict[str, Any] = {f"kernel{number}": kernel for number, kernel in enumerate(state.kernels)}
        inputs["images"] = images
        if memory is not None:
            inputs["memory"] = memory
        found = graph.run(inputs, [name for name in graph.outputs if maps or not name.startswith(MAP)])
        cameras, targets = images.shape[:2]
        gate = {} if memory is None else {"weights": memory.shape, "next_memory": memory.shape}
        places = dict.fromkeys(("cls", "loc"), (targets, None, None, None))
        shares = {name: (cameras, targets, None, None) for name in found if name.startswith(MAP)}
        for name, shape in {**places, **gate, **shares}.items():
            graph.check(name, found.get(name), shape)
        _, scores, height, width = found["cls"].shape
        graph.check("cls", found["cls"], (targets, scores + scores % 2 or 2, width or 1, width or 1))
        graph.check("loc", found["loc"], (targets, 2 * scores, height, width))
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
        return self._graphs[name].facts
