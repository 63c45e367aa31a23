"""Text files with one box a line: annotations and results alike, in every notation the public datasets use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.reading import read_text
from rgbt_tracker.boxes import Box, polygon_to_box

Array = NDArray[np.float64]
Notation = Literal["size", "corners"]
ABSENT = 0
FARTHEST = 1e9
"""px from the corner of a picture that no box lies at."""
SEPARATORS = re.compile(r"[,;\s]+")
DUE = "x,y,w,h of one target, a line a frame, 'nan' where it is absent"


def read_lines(path: Path) -> list[Array]:
    """Read the numbers of each line, a line a frame: 1 (a code), 4 (a box) or 2 n >= 6 (a polygon) of them.

    Numbers are separated by commas, semicolons, blanks or tabs and may be NaN. Blank lines at the end are ignored; one
    between others is refused, for the frames after it would be counted wrongly.

    Raises:
        UserError: the file is missing, empty, or a line holds something else; the message names the line. So are
            tables that would read as boxes and are none: MOT rows (`is_mot`) and boxes as shares of the picture.
    """
    try:
        lines = read_text(path, replace=True).splitlines()
    except OSError as error:
        raise UserError(f"Cannot read boxes from '{path}': {error.strerror}.") from error
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise UserError(f"Expected one box a line in '{path}', but the file is empty.")
    rows = [_parse(line) for line in lines]
    _refuse_other_tables(rows, lines, path)
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), 1):
        if row is None or not (row.size in (1, 4) or (row.size >= 6 and row.size % 2 == 0)):
            raise UserError(
                f"Expected 4 numbers (a box) or 8 (its corners) in line {number} of '{path}', got "
                f"'{line.strip()[:60]}'."
            )
        if (np.abs(row) > FARTHEST).any():
            raise UserError(f"Expected pixels in line {number} of '{path}', got '{line.strip()[:60]}'.")
    return [row for row in rows if row is not None]


def _parse(text: str, around: str = ",;") -> Array | None:
    """The numbers of a line without what may stand ``around`` them; None where it holds anything else."""
    try:
        return np.array([float(token) for token in SEPARATORS.split(text.strip(f"{around} \t\r\n"))])
    except ValueError:
        return None


def _refuse_other_tables(rows: list[Array | None], lines: list[str], path: Path) -> None:
    """Name what people have instead of boxes, rather than its first line alone."""
    if rows[0] is None and re.search(r"[A-Za-z]", lines[0]) and len(rows) > 1 and rows[1] is not None:
        raise UserError(
            f"Expected a box in every line, got a header, '{lines[0].strip()[:60]}', in line 1 of '{path}'; take "
            "it out, and leave x,y,w,h in the others."
        )
    known = [row for row in rows if row is not None and row.size > 1]
    sizes = {row.size for row in known}
    if sizes == {2}:
        raise UserError(
            f"Expected 4 numbers (a box) or 8 (its corners) a line in '{path}', got 2 numbers a line, which are points "
            "and no boxes; write x,y,w,h."
        )
    if len(sizes) == 1:
        check_not_mot(np.array(known), path)
    boxes = [row[1:] if row.size == 5 else row for row in known if np.isfinite(row).all()]
    if boxes and sizes <= {4, 5, 6, 8}:
        check_pixels(np.concatenate(boxes), path)


def check_not_mot(rows: Array, path: Path, due: str = DUE) -> None:
    """Raise UserError where (N, K) numbers of ``path`` are MOT rows (`is_mot`) and not what is ``due``."""
    if is_mot(rows):
        raise UserError(
            f"Expected one box a line in '{path}', got MOT rows (frame,id,x,y,w,h and more; {rows.shape[1]} numbers); "
            f"write {due}."
        )


def check_pixels(values: Array, path: Path) -> None:
    """Raise UserError where the coordinates of all boxes of ``path`` are shares of the picture (`is_normalised`)."""
    if is_normalised(values):
        raise UserError(
            f"Expected boxes in pixels in '{path}', got numbers of at most 1, which are shares of the picture "
            "(normalised); multiply x and w by its width, y and h by its height, and write x,y,w,h."
        )


def is_mot(rows: Array) -> bool:
    """Whether a table of (N, K) numbers holds MOT rows: frame, id, x, y, w, h and up to four columns more.

    The first column counts whole frames, all of them in order or those of one id after the other's; the second holds
    whole ids (-1 where there are none), no id twice in a frame. What follows the box is a confidence and -1, classes
    or visibilities. Corners of polygons, K even as well, are nothing of the kind: in whole pixels, moving to the
    right by one a frame, they may come close, so that 8 numbers that are a parallelogram are never MOT rows, and few
    rows without a further column only where they begin to count at 0 or 1.
    """
    if not 6 <= rows.shape[1] <= 10 or not np.isfinite(rows).all():
        return False
    frames, ids, sizes, rest = rows[:, 0], rows[:, 1], rows[:, 4:6], rows[:, 6:]
    whole = (rows[:, :2] == np.rint(rows[:, :2])).all()
    if not whole or (frames < 0).any() or (ids < -1).any() or (sizes < 0).any() or not _counts(frames, ids):
        return False
    if rows.shape[1] == 6:
        return bool(frames.min() <= 1 and (np.diff(np.unique(frames)) == 1).all())
    if rows.shape[1] == 8 and np.abs(rows[:, 0:2] + rows[:, 4:6] - rows[:, 2:4] - rows[:, 6:8]).max() <= 2:
        return False
    unused = rest.shape[1] > 1 and bool((rest[:, 1:] == -1).all())
    confidence = bool((np.abs(rest[:, 0]) <= 1).all())
    further = rest[:, 1:]
    classes = bool(((further == np.rint(further)) | ((further >= 0) & (further <= 1))).all())
    return unused or rows.shape[1] % 2 == 1 or (confidence and classes)


def _counts(frames: Array, ids: Array) -> bool:
    """Whether frames ascend, those of all ids together or of one id after the other's, and no id stands twice."""
    tracked = ids >= 0
    pairs = np.stack([frames[tracked], ids[tracked]], 1)
    if len(np.unique(pairs, axis=0)) < len(pairs):
        return False
    together = (np.diff(frames) >= 0).all()
    apart = (np.diff(frames)[np.diff(ids) == 0] > 0).all() and (np.diff(ids) != 0).sum() == len(np.unique(ids)) - 1
    return bool(together or apart)


def is_normalised(values: Array) -> bool:
    """Whether all coordinates of boxes are shares of the picture: none beyond 1, and not all of them 0."""
    return bool((np.abs(values) <= 1).all() and values.any())


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


def parse_box(text: str, name: str = "--init") -> Box:
    """Return x, y, w, h (or the bounds of four corners) written on a command line.

    Raises:
        UserError: not four or eight numbers, or shares of the picture instead of pixels.
    """
    values = _parse(text, " ,;()[]")
    if values is not None and values.size == 8:
        values = polygon_to_box(values)
    if values is None or values.size != 4:
        raise UserError(f"Expected four numbers x,y,w,h for {name}, got '{text}'; for example {name} 120,80,40,60.")
    if is_normalised(values):
        raise UserError(
            f"Expected x,y,w,h in pixels for {name}, got '{text}', which are shares of the picture (normalised); "
            "multiply x and w by its width, y and h by its height."
        )
    x, y, w, h = (float(value) for value in values)
    return x, y, w, h
