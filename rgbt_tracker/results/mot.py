"""Tracks of several targets in one file, as MOTChallenge has them.

A row a target and frame, frame by frame: ``frame,id,left,top,width,height,confidence,-1,-1,-1``. Frames and pixels are
counted from 1 there (Dendorfer et al., 2020), so that frame and corner are ours plus one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import write_text
from nestfuse_core.common.reading import read_text
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.results.write import targets_file

MOST_TARGETS = 1000
"""In a file of tracks; of a full sequence's length, each takes its memory."""


def write_mot(folder: Path, name: str, tracks: Mapping[int, Trajectory]) -> Path:
    """Write ``NAME_mot.txt`` from number of a target -> its track; frames without a box have no row."""
    rows = []
    for number, track in tracks.items():
        for frame, (box, score) in enumerate(zip(track.boxes, track.scores, strict=True)):
            if np.isfinite(box).all():
                left, top, width, height = box
                rows.append((frame + 1, number, left + 1, top + 1, width, height, score))
    text = "".join(
        f"{frame},{number},{left:.4f},{top:.4f},{width:.4f},{height:.4f},{score:.4f},-1,-1,-1\n"
        for frame, number, left, top, width, height, score in sorted(rows, key=lambda row: row[:2])
    )
    path = targets_file(folder, name)
    write_text(path, text)
    return path


def read_mot(path: Path, length: int) -> dict[int, NDArray[np.float64]]:
    """Number of a target -> (``length``, 4) boxes x, y, w, h, 0-based; NaN where it has none.

    Raises:
        UserError: a row that is none. Frames beyond ``length`` are left out.
    """
    boxes: dict[int, NDArray[np.float64]] = {}
    for line, text in enumerate(read_text(path).splitlines(), 1):
        try:
            values = [float(cell) for cell in text.split(",")]
            frame, number, (x, y, w, h) = int(values[0]) - 1, int(values[1]), values[2:6]
        except (ValueError, IndexError, OverflowError) as error:
            raise UserError(f"Expected frame,id,x,y,w,h,... in line {line} of '{path}', got '{text[:60]}'.") from error
        if frame < 0:
            raise UserError(f"Expected frames from 1 on in '{path}', got {frame + 1} in line {line}.")
        if number not in boxes:
            if len(boxes) == MOST_TARGETS:
                raise UserError(f"Expected at most {MOST_TARGETS} targets in '{path}', got another in line {line}.")
            boxes[number] = np.full((length, 4), np.nan)
        own = boxes[number]
        if frame < length:
            own[frame] = x - 1, y - 1, w, h
    return dict(sorted(boxes.items()))
