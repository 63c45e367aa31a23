"""Frames for the sequence player: made small, encoded as JPEG and grouped into blocks that load on demand."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.pictures import encode_image
from nestfuse_core.fusion.scale import ThermalScale
from nestfuse_core.fusion.thermal import needs_scaling
from rgbt_tracker.sequences.base import FrameSequence

BLOCK = 24  # frames a block: under a second of play, about 2 MB
QUALITIES = (75, 65, 55, 45, 35, 25)
PAIR_BYTES = 90_000  # text of one encoded pair: 454 of them stay near 40 MB


def shrink(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return the image with its longer side at most ``side`` pixels."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def encode(image: NDArray[np.uint8], quality: int) -> str:
    """Return the image as base64 text of a JPEG file."""
    return base64.b64encode(encode_image(image, ".jpg", quality, optimise=True)).decode("ascii")


class FrameEncoder:
    """Encodes the frames of one sequence.

    Args:
        sequence: frames are read in order.
        side: longer side of the encoded images in pixels.
        budget: bytes of text that one pair may take on average; decides the JPEG quality from a sample.
    """

    def __init__(self, sequence: FrameSequence, side: int = 560, budget: int = PAIR_BYTES) -> None:
        self.sequence, self.side = sequence, side
        first = sequence.frame(0)
        images = {name: image for name, image in (("rgb", first.rgb), ("ir", first.ir)) if image is not None}
        self.modalities = list(images)
        self.height, self.width = next(iter(images.values())).shape[:2] if images else (0, 0)
        self.quality, pair_bytes = self._pick_quality(budget) if images else (0, 0.0)
        self.expected_bytes = pair_bytes * len(sequence)

    def _images(self, index: int, scale: ThermalScale) -> dict[str, NDArray[np.uint8]]:
        frame = self.sequence.frame(index)
        found = {"rgb": frame.rgb, "ir": frame.ir}
        return {
            name: shrink(scale(image) if needs_scaling(image) else np.asarray(image, np.uint8), self.side)
            for name, image in found.items()
            if image is not None
        }

    def _pick_quality(self, budget: int) -> tuple[int, float]:
        """Return the best quality whose pairs stay within the budget, and their mean size as text."""
        last = len(self.sequence) - 1
        scale = ThermalScale()
        sample = [self._images(index, scale) for index in sorted({0, last // 3, 2 * last // 3, last})]
        size = 0.0
        for quality in QUALITIES:
            size = sum(len(encode(image, quality)) for images in sample for image in images.values()) / len(sample)
            if size <= budget:
                break
        return quality, size

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-len(self.sequence) // BLOCK)

    def texts(self, on_frame: Callable[[], None] | None = None) -> Iterator[str]:
        """Yield the JSON text of each block: modality -> list of base64 JPEG files."""
        block: dict[str, list[str]] = {name: [] for name in self.modalities}
        scale = ThermalScale()
        for index in range(len(self.sequence)):
            images = self._images(index, scale)
            for name in self.modalities:
                block[name].append(encode(images[name], self.quality) if name in images else "")
            if on_frame:
                on_frame()
            if (index + 1) % BLOCK == 0 or index + 1 == len(self.sequence):
                yield json.dumps(block, separators=(",", ":"))
                block = {name: [] for name in self.modalities}
