"""The result files of one track: boxes, scores and times as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nestfuse_core.common.files import write_text

COMPANIONS = {"scores": "_scores.txt", "times": "_time.txt"}


def write_results(folder: Path, name: str, boxes: ArrayLike, scores: ArrayLike, seconds: ArrayLike) -> list[Path]:
    """Write ``NAME.txt`` (x,y,w,h a frame, 4 decimals), ``NAME_scores.txt`` and ``NAME_time.txt`` (seconds a frame).

    Each file appears whole, and ``NAME.txt`` last: where it is, the other two are of the same run.

    Args:
        boxes: (N, 4) pixels, 0-based.
        scores, seconds: (N,).

    Returns:
        The files, ``NAME.txt`` first.
    """
    files = {
        folder / f"{name}{COMPANIONS['scores']}": _lines(np.reshape(scores, (-1, 1)), 4),
        folder / f"{name}{COMPANIONS['times']}": _lines(np.reshape(seconds, (-1, 1)), 6),
        folder / f"{name}.txt": _lines(np.reshape(boxes, (-1, 4)), 4),
    }
    for path, text in files.items():
        write_text(path, text)
    return list(files)[::-1]


def _lines(rows: ArrayLike, decimals: int) -> str:
    values = np.asarray(rows, dtype=np.float64)
    return "".join(",".join(f"{value:.{decimals}f}" for value in row) + "\n" for row in values)
