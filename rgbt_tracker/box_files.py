"""Text files with one box a line: annotations and results alike, in every notation the public datasets use."""

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
ABSENT = 0
SEPARATORS = re.compile(r"[,;\s]+")


def read_lines(path: Path) -> list[Array]:
    """Read the numbers of each line, a line a frame: 1 (a code), 4 (a box) or 2 n >= 6 (a polygon) of them.

    Numbers are separated by commas, semicolons, blanks or tabs and may be NaN. Blank lines at the end are ignored; one
    between others is refused, for the frames after it would be counted wrongly.

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
    return [_numbers(line, number, path) for number, line in enumerate(lines, 1)]


def _numbers(line: str, number: int, path: Path) -> Array:
    try:
        values = np.array([float(token) for token in SEPARATORS.split(line.strip().strip(",;"))])
    except ValueError:
        values = np.empty(0)
    if values.size in (1, 4) or (values.size >= 6 and values.size % 2 == 0):
        return values
    raise UserError(
        f"Expected 4 numbers (a box) or 8 (its corners) in line {number} of '{path}', got '{line.strip()[:60]}'."
    )


def is_absent(numbers: Array) -> bool:
    """Whether a line says that there is no box: VOT's code 0 alone, or any number NaN."""
    return bool(np.isnan(numbers).any() or (numbers.size == 1 and numbers[0] == ABSENT))


def read_boxes(path: Path, notation: Notation = "size") -> Array:
    """Read boxes as they are written: (N, 4) x, y, w, h; empty boxes stay what they are, an absent target is NaN.

    Of polygons the bounds are taken.

    Args:
        path: text file (`read_lines`).
        notation: what four numbers mean: "size" is x, y, w, h; "corners" is x1, y1, x2, y2 in any order, as GTOT
            has it (w = abs(x2 - x1), which gives the boxes of GTOT's own init.txt).

    Raises:
        UserError: as `read_lines`, or a code other than 0.
    """
    boxes = np.full((len(lines := read_lines(path)), 4), np.nan)
    for index, numbers in enumerate(lines):
        if is_absent(numbers):
            continue
        if numbers.size == 1:
            raise UserError(
                f"Expected 4 numbers (a box) or 8 (its corners) in line {index + 1} of '{path}', got '{numbers[0]:g}'."
            )
        boxes[index] = polygon_to_box(numbers) if numbers.size > 4 or notation == "corners" else numbers
    return boxes


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
