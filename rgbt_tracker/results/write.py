"""Writing results: the files of one track."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nestfuse_core.common.files import write_text

COMPANIONS = {"scores": "_scores.txt", "times": "_time.txt", "maps": "_maps.npz"}
"""What may lie beside ``NAME.txt``: the ends of the files' names."""


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
