"""All that fusing pictures knows of the network: a grey picture to features, and the features of two to one picture.

Pictures are NumPy, HxW float32 in 0..255. Features are of four scales, each (1, C, h, w) and of the runtime's own
kind, so that they stay where they were computed; h and w are H and W halved and rounded down, scale after scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
Features = list[Any]

BAND_VALUES = 1 << 17
"""Features combined at once: 0.5 MB."""


@runtime_checkable
class Runtime(Protocol):
    """A network for inference.

    Attributes:
        name: "torch" or "onnx".
    """

    name: str

    def encode(self, image: Grey) -> Features:
        """Features of a picture, a scale each."""
        ...

    def pooled(self, features: Any, channel: str) -> NDArray[np.float64]:
        """(C,) statistics of one scale's features: their mean magnitude, "avg", or largest, "max" (P of Eq. 8)."""
        ...

    def array(self, features: Any) -> Grey:
        """(C, h, w) of one scale's features."""
        ...

    def fuse(
        self,
        encoded: Sequence[Features],
        spatial: str,
        channel_weights: Sequence[NDArray[np.float64]] | None,
        maps: bool = False,
    ) -> tuple[Grey, list[Grey]]:
        """Fuse the features of two pictures and decode them.

        Args:
            encoded: of `encode`, the infrared picture's first; emptied, so that their memory can go early.
            spatial: "l1" or "softmax" (`nestfuse_core.model.attention.spatial_weights`).
            channel_weights: a scale each, (2, C) of ir and vis; None adds the features instead (DenseFuse).
            maps: also return the spatial weights.

        Returns:
            The output, HxW, and of every scale, if asked for and not added, (2, h, w) spatial weights of ir and vis.
        """
        ...


def band_rows(channels: int, width: int) -> int:
    """How many rows of features are combined at once on a CPU."""
    return max(1, BAND_VALUES // (width * channels))
