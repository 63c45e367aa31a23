"""Annotation files: one box a line, in every notation the public datasets use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import polygon_to_box

Array = NDArray[np.float64]
Notation = Literal["size", "corners"]
VOT_UNKNOWN = 0
SEPARATORS = re.compile(r"[,;\s]+")


def read_boxes(path: Path, notation: Notation = "size") -> Array:
    """Read boxes as they are written: (N, 4) x, y, w, h; NaN and empty boxes stay what they are.

    Numbers are separated by commas, semicolons, blanks or tabs; six or more on a line are a polygon, of which the
    bounds are taken; a single NaN or 0 (VOT's code) is an absent target.

    Args:
        path: text file.
        notation: what four numbers mean: "size" is x, y, w, h; "corners" is x1, y1, x2, y2 in any order, as GTOT
            has it (w = abs(x2 - x1), which gives the boxes of GTOT's own init.txt).

    Raises:
        UserError: the file is missing, empty, or a line holds something else; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise UserError(f"Cannot read boxes from '{path}': {error.strerror}.") from error
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise UserError(f"Expected one box a line in '{path}', but the file is empty.")
    return np.stack([_parse(line, notation, f"line {number} of '{path}'") for number, line in enumerate(lines, 1)])


def _parse(line: str, notation: Notation, where: str) -> Array:
    try:
        values = np.array([float(token) for token in SEPARATORS.split(line.strip().strip(",;"))])
    except ValueError:
        values = np.empty(0)
    if values.size == 1 and (np.isnan(values[0]) or values[0] == VOT_UNKNOWN):
        return np.full(4, np.nan)
    if values.size == 4:
        return polygon_to_box(values) if notation == "corners" else values
    if values.size >= 6 and values.size % 2 == 0:
        return polygon_to_box(values)
    raise UserError(f"Expected 4 numbers (a box) or 8 (its corners) in {where}, got '{line.strip()[:60]}'.")


def absent_as_nan(boxes: Array) -> Array:
    """Return the boxes with NaN in every row that has no area or an unknown number: how datasets mark absence."""
    with np.errstate(invalid="ignore"):
        present = np.isfinite(boxes).all(axis=1, keepdims=True) & (boxes[:, 2:] > 0).all(axis=1, keepdims=True)
    return np.where(present, boxes, np.nan)


def parse_box(text: str, name: str = "--init") -> tuple[float, float, float, float]:
    """Return x, y, w, h (or the bounds of four corners) written on a command line.

    Raises:
        UserError: not four or eight numbers.
    """
    try:
        values = np.array([float(token) for token in SEPARATORS.split(text.strip(" ,;()[]"))])
    except ValueError:
        values = np.empty(0)
    if values.size == 8:
        values = polygon_to_box(values)
    if values.size != 4:
        raise UserError(f"Expected four numbers x,y,w,h for {name}, got '{text}'; for example {name} 120,80,40,60.")
    x, y, w, h = (float(value) for value in values)
    return x, y, w, h
