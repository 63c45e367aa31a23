"""Which targets a user wants followed: boxes on a command line, or a table of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.reading import read_table
from rgbt_tracker.box_files import parse_box
from rgbt_tracker.boxes import Box

Targets = dict[int, dict[int, Box]]
"""Number of a target, from 1 on -> frame -> x, y, w, h of it there. Its first frame is where it is first followed; in
the others the tracker is put back on it."""
COLUMNS = ("frame", "id", "x", "y", "w", "h")
MOST = 10**9
"""Least number that is no id: larger ones would be rounded, and two targets become one."""


def parse_init(texts: Sequence[str], start: int, length: int | None) -> Targets:
    """Targets from what a command line says once or more.

    ``x,y,w,h`` is a target in the first frame: given several times, these are targets 1, 2, ... ``N:x,y,w,h`` is the
    one target in frame N, where the tracker is put back on it.

    Args:
        texts: of ``--init``.
        start: number of the first frame that is tracked.
        length: of the sequence; None for a live source, of which only the first frame can be meant.

    Raises:
        UserError: no box (`parse_box`), no frame of those that are tracked, two boxes with one frame's number, or one
            with a number beside several targets, of which it does not say which one is meant.
    """
    first: list[Box] = []
    numbered: dict[int, Box] = {}
    last = start if length is None else length - 1
    for text in texts:
        number, colon, box = text.rpartition(":")
        if colon and not number.strip().isdecimal():
            raise UserError(f"Expected --init x,y,w,h or --init N:x,y,w,h with the number N of a frame, got '{text}'.")
        frame = int(number) if colon else start
        if not start <= frame <= last:
            raise UserError(f"Expected --init for a frame from {start} to {last}, got '{text}'.")
        if not colon:
            first.append(parse_box(box))
        elif frame in numbered:
            raise UserError(f"Expected one --init for a frame, got two for frame {frame}; the second is '{text}'.")
        else:
            numbered[frame] = parse_box(box)
    if first and start in numbered:
        raise UserError(f"Expected one --init for a frame, got two for frame {start}, one without its number.")
    if len(first) > 1 and numbered:
        raise UserError(
            f"With {len(first)} targets --init {min(numbered)}:... does not say which one is put back; give all boxes "
            f"as --targets FILE ({','.join(COLUMNS)})."
        )
    if len(first) > 1:
        return {number: {start: box} for number, box in enumerate(first, 1)}
    boxes = ({start: first[0]} if first else {}) | numbered
    return {1: boxes} if boxes else {}


def read_targets(path: Path, start: int, length: int | None) -> Targets:
    """Targets from a table with a row for each box: frame, id, x, y, w, h, with a header or without.

    Frames are counted from 0, ids are whole numbers from 1 on, boxes are in px of the visible picture, 0-based. A
    target is followed from the first frame that it has a row for; in those of its further rows it is put back.

    Raises:
        UserError: no such file, another table, a frame that is not tracked, or two rows for one target in one frame.
    """
    rows = _read_rows(path)
    targets: Targets = {}
    last = start if length is None else length - 1
    for line, values in rows:
        frame, number = values[0], values[1]
        where = f"line {line} of '{path}'"
        if frame != int(frame) or number != int(number) or not 1 <= number < MOST:
            raise UserError(
                f"Expected whole numbers for frame and id, ids from 1 on and below {MOST}, in {where}, "
                f"got {values[:2]}."
            )
        if not start <= frame <= last:
            raise UserError(f"Expected frames from {start} to {last} in '{path}', got {int(frame)} in line {line}.")
        boxes = targets.setdefault(int(number), {})
        if int(frame) in boxes:
            raise UserError(f"Expected one box of a target in a frame, got a second one in {where}.")
        boxes[int(frame)] = parse_box(",".join(map(repr, values[2:])), "--targets")
    return {number: dict(sorted(boxes.items())) for number, boxes in sorted(targets.items())}


def _read_rows(path: Path) -> list[tuple[int, list[float]]]:
    """Number of a line and its six numbers, each."""
    try:
        table = read_table(path)
    except OSError as error:
        raise UserError(f"Cannot read targets from '{path}': {error.strerror}.") from error
    due = f"Expected {','.join(COLUMNS)} (frames from 0, ids from 1)"
    rows = []
    for line, cells in enumerate(table, 1):
        if not cells or (line == 1 and tuple(cell.strip().lower() for cell in cells) == COLUMNS):
            continue
        try:
            values = [float(cell) for cell in cells]
        except ValueError:
            values = []
        if len(values) != len(COLUMNS) or not np.isfinite(values).all():
            raise UserError(f"{due} in line {line} of '{path}', got '{','.join(cells)[:60]}'.")
        rows.append((line, values))
    if not rows:
        raise UserError(f"{due} in '{path}', which has no row.")
    return rows
