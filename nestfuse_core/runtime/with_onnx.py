"""The fusion network as exported graphs in ONNX Runtime, on a CPU: no torch anywhere.

docs/guides/export.md lists the graphs' names and shapes; this module uses nothing that is not said there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.graphs import AGAIN, Graph, GraphFolder, default_threads
from nestfuse_core.model.plan import SCALES
from nestfuse_core.runtime.exports import DECODE, ENCODE, attend
from nestfuse_core.runtime.interface import Features, Grey, band_rows

Values = NDArray[np.float32]

SMALLEST = 2 ** (SCALES - 1)
"""Least side of a picture, which becomes one pixel at the coarsest scale."""
THREADS = 4
"""That share an operation unless somebody says another number: a picture keeps several busy, unlike a crop."""


class OnnxRuntime:
    """See `nestfuse_core.runtime.interface.Runtime`; a graph is loaded when it is first needed.

    Args:
        folder: of an export.
        threads: that share an operation; ``OMP_NUM_THREADS``, or else up to `THREADS`, by default.

    Raises:
        UserError: from the first use of a graph that is missing or damaged, or a picture of less than 8 px a side.
    """

    name = "onnx"

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        chosen = default_threads(THREADS) if threads is None else threads
        self.graphs = GraphFolder(folder, chosen, keeps_memory=False)

    def encode(self, image: Grey) -> Features:
        if min(image.shape) < SMALLEST:
            height, width = image.shape
            raise UserError(
                f"The exported fusion network takes pictures of at least {SMALLEST} px a side, got {width}x{height}; "
                "give --runtime torch."
            )
        graph = self.graphs[ENCODE]
        found = graph.run({"image": image[None, None]})
        if len(found) != SCALES:
            raise UserError(f"The graph '{graph.file}' answers with {len(found)} scales, not {SCALES}; {AGAIN}.")
        for scale, (name, features) in enumerate(found.items()):
            sides = (max(1, side >> scale) for side in image.shape)
            graph.check(name, features, (1, None, *sides), finite=False)
        return list(found.values())

    def pooled(self, features: NDArray[np.float32], channel: str) -> NDArray[np.float64]:
        # The features come from a ReLU: they are their own magnitudes.
        if channel == "max":
            return features[0].max((-2, -1)).astype(np.float64)
        return features[0].mean((-2, -1), dtype=np.float64)

    def array(self, features: NDArray[np.float32]) -> Grey:
        return features[0]

    def fuse(
        self,
        encoded: Sequence[Features],
        spatial: str,
        channel_weights: Sequence[NDArray[np.float64]] | None,
        maps: bool = False,
    ) -> tuple[Grey, list[Grey]]:
        fused: dict[str, Any] = {}
        shares = []
        for scale in range(SCALES):
            ir, vis = (one.pop(0) for one in encoded)
            if channel_weights is None:
                fused[f"features{scale}"] = np.add(ir, vis, out=ir)
                continue
            weights = channel_weights[scale].astype(np.float32)
            over_space = _combine_in_place(self.graphs[attend(spatial)], ir, vis, weights)
            fused[f"features{scale}"] = ir
            if maps:
                shares.append(over_space)
        graph = self.graphs[DECODE]
        image = graph.run(fused, ("output",))["output"]
        graph.check("output", image, (1, 1, *fused["features0"].shape[2:]), finite=False)
        return image[0, 0], shares


def _combine_in_place(graph: Graph, ir: Values, vis: Values, channel_weights: Values) -> Values:
    """Write the fused features of a scale into ``ir``, band by band, so that temporary values stay in the cache.

    Returns:
        The spatial weights, (2, h, w).
    """
    channels, height, width = ir.shape[1:]
    rows = band_rows(channels, width)
    over_space = []
    for top in range(0, height, rows):
        bands = [np.ascontiguousarray(features[..., top : top + rows, :]) for features in (ir, vis)]
        inputs = {"ir": bands[0], "vis": bands[1], "channel_weights": channel_weights}
        found = graph.run(inputs, ("fused", "spatial_weights"))
        graph.check("fused", found["fused"], bands[0].shape, finite=False)
        graph.check("spatial_weights", found["spatial_weights"], (2, *bands[0].shape[2:]), finite=False)
        ir[..., top : top + rows, :] = found["fused"]
        over_space.append(found["spatial_weights"])
    return np.concatenate(over_space, 1)
