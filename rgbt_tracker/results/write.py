"""Writing results: the files of one track, and the layouts that public toolkits read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import write_text
from rgbt_tracker.boxes import box_to_polygon

if TYPE_CHECKING:
    from rgbt_tracker.results.find import TrackerResults

COMPANIONS = {"scores": "_scores.txt", "times": "_time.txt", "maps": "_maps.npz"}
"""What may lie beside ``NAME.txt``: the ends of the files' names."""
LAYOUTS = ("rgbt", "matlab", "vtuav")


def write_results(folder: Path, name: str, boxes: ArrayLike, scores: ArrayLike, seconds: ArrayLike) -> list[Path]:
    """Write ``NAME.txt`` (x,y,w,h a frame, 4 decimals), ``NAME_scores.txt`` and ``NAME_time.txt`` (seconds a frame).

    Each file appears whole, and ``NAME.txt`` last: where it is, the other two are of the same run.

    Args:
        boxes: (N, 4) pixels, 0-based.
        scores, seconds: (N,).

    Returns:
        The files, ``NAME.txt`` first.
    """
    files = [folder / f"{name}.txt", folder / f"{name}{COMPANIONS['times']}", folder / f"{name}{COMPANIONS['scores']}"]
    write_rows(files[2], np.reshape(scores, (-1, 1)))
    write_rows(files[1], np.reshape(seconds, (-1, 1)), decimals=6)
    write_rows(files[0], np.reshape(boxes, (-1, 4)))
    return files


def write_rows(path: Path, rows: ArrayLike, separator: str = ",", decimals: int = 4) -> None:
    """Write (N, K) numbers, one row a line, whole or not at all."""
    values = np.asarray(rows, dtype=np.float64)
    write_text(path, "".join(separator.join(f"{value:.{decimals}f}" for value in row) + "\n" for row in values))


def export(trackers: Iterable[TrackerResults], output: Path, layout: str) -> int:
    """Copy one-pass results into the layout a public toolkit reads and return the number of files.

    Args:
        trackers: from `rgbt_tracker.results.find.find_results`.
        output: folder to write to.
        layout: ``rgbt`` (``TRACKER/SEQUENCE.txt``, x,y,w,h: the PyPI package and LasHeR's toolkit), ``matlab``
            (``TRACKER_SEQUENCE.txt`` with four corners: GTOT, RGBT210, RGBT234) or ``vtuav`` (``TRACKER_SEQUENCE.txt``
            with x y w h).

    Raises:
        UserError: another layout, results with resets, or a file that does not fit into the layout.
    """
    from rgbt_tracker.results.read import read_one_pass

    if layout not in LAYOUTS:
        raise UserError(f"Expected a layout of {', '.join(LAYOUTS)}, got '{layout}'.")
    count = 0
    for tracker in trackers:
        for sequence, path in tracker.one_pass_files().items():
            rows = read_one_pass(path).rows
            if rows.shape[1] == 8 and layout != "matlab":
                raise UserError(f"Layout '{layout}' holds x,y,w,h, but {path} has eight numbers a line.")
            name = f"{sequence}.txt" if layout == "rgbt" else f"{tracker.name}_{sequence}.txt"
            target = output / tracker.name / name if layout == "rgbt" else output / name
            if layout == "matlab" and rows.shape[1] == 4:
                rows = box_to_polygon(rows)
            write_rows(target, rows, "," if layout == "rgbt" else " ")
            count += 1
    return count
