"""Writing results: the files of one track."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nestfuse_core.common.files import write_text
from rgbt_tracker.results.trajectory import Trajectory

COMPANIONS = {"scores": "_scores.txt", "times": "_time.txt", "maps": "_maps.npz"}
"""What may lie beside ``NAME.txt``: the ends of the files' names."""


def write_results(folder: Path, name: str, track: Trajectory) -> list[Path]:
    """Write ``NAME.txt`` (x,y,w,h a frame, 4 decimals), ``NAME_scores.txt`` and ``NAME_time.txt`` (seconds a frame).

    Each file appears whole, and ``NAME.txt`` last: where it is, the other two are of the same run.

    Returns:
        The files, ``NAME.txt`` first.
    """
    files = [folder / f"{name}.txt", folder / f"{name}{COMPANIONS['times']}", folder / f"{name}{COMPANIONS['scores']}"]
    write_rows(files[2], track.scores[:, None])
    write_rows(files[1], track.seconds[:, None], decimals=6)
    write_rows(files[0], track.boxes)
    return files


def write_rows(path: Path, rows: ArrayLike, separator: str = ",", decimals: int = 4) -> None:
    """Write (N, K) numbers, one row a line, whole or not at all."""
    values = np.asarray(rows, dtype=np.float64)
    write_text(path, "".join(separator.join(f"{value:.{decimals}f}" for value in row) + "\n" for row in values))
