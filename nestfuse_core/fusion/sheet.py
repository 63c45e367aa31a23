"""Contact sheets: infrared, visible and fused side by side, one scene a row."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.pictures import Image

Picture = NDArray[np.uint8]

TITLES = ("infrared", "visible", "fused")
CELL_WIDTH = 320
MOST_ROWS = 24
LABEL = 22
GAP = 4


def chosen_rows(count: int) -> list[int]:
    """Return which of ``count`` scenes a sheet shows: all, or MOST_ROWS evenly spread."""
    return sorted({int(index) for index in np.linspace(0, count - 1, min(count, MOST_ROWS)).round()})


def as_bgr8(image: Image) -> Picture:
    """Return HxWx3 uint8 of a grey or BGR picture; 16 bits are scaled so that the largest value becomes 255."""
    if image.dtype != np.uint8:
        image = (image.astype(np.uint32) * 255 // max(1, int(image.max()))).astype(np.uint8)
    return np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image


def thumbnail(image: Image, width: int = CELL_WIDTH) -> Picture:
    """Shrink (never enlarge) a picture to ``width``."""
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    return as_bgr8(
        image if image.shape[1] <= width else cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    )


class Sheet:
    """Collects rows of thumbnails and draws them, under the titles of the columns."""

    def __init__(self, titles: Sequence[str] = TITLES) -> None:
        self._titles = titles
        self._rows: list[tuple[str, list[Picture]]] = []

    def add(self, name: str, *images: Image) -> None:
        """Add a row of HxW or HxWx3 BGR pictures, uint8 or uint16, one a column."""
        self._rows.append((name, [thumbnail(image) for image in images]))

    def draw(self) -> Picture:
        """Return the sheet as HxWx3 BGR uint8, white where there is nothing."""
        width = max(cell.shape[1] for _, cells in self._rows for cell in cells)
        strips = [self._head(width)] + [self._strip(name, cells, width) for name, cells in self._rows]
        return np.vstack(strips)

    def _head(self, width: int) -> Picture:
        strip = np.full((LABEL, len(self._titles) * (width + GAP) + GAP, 3), 255, np.uint8)
        for column, title in enumerate(self._titles):
            _text(strip, title, GAP + column * (width + GAP))
        return strip

    def _strip(self, name: str, cells: list[Picture], width: int) -> Picture:
        height = max(cell.shape[0] for cell in cells)
        strip = np.full((height + LABEL, len(cells) * (width + GAP) + GAP, 3), 255, np.uint8)
        for column, cell in enumerate(cells):
            left = GAP + column * (width + GAP)
            strip[: cell.shape[0], left : left + cell.shape[1]] = cell
        _text(strip, name.encode("ascii", "replace").decode(), GAP)
        return strip


def _text(strip: Picture, text: str, left: int) -> None:
    cv2.putText(strip, text, (left, strip.shape[0] - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
