"""Reading the 3x3 matrix that lays the thermal picture on the visible one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from nestfuse_core.common.arrays import read_array
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import expanded
from nestfuse_core.common.reading import read_text

Rows = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


def read_homography(text: str) -> Rows:
    """Return three rows of three numbers from a command-line value.

    Args:
        text: nine numbers separated by commas or blanks, row by row, or a file that holds them: plain text, JSON
            (any nesting) or ``.npy``.

    Raises:
        UserError: no such file, not nine finite numbers, or a matrix that cannot be inverted.
    """
    path = expanded(text)
    values = _read(path) if path.is_file() else _numbers(text)
    source = f"the file '{text}'" if path.is_file() else f"'{text}'"
    if values is None or values.size != 9 or not np.isfinite(values).all():
        raise UserError(
            f"Expected a homography as nine numbers a,b,c,d,e,f,g,h,i or a file that holds them, got {source}."
        )
    matrix = values.reshape(3, 3)
    if np.linalg.matrix_rank(matrix) < 3:
        raise UserError(f"The homography in {source} cannot be inverted; expected a 3x3 matrix of full rank.")
    first, second, third = (tuple(float(value) for value in row) for row in matrix)
    return first, second, third  # type: ignore[return-value]


def _read(path: Path) -> np.ndarray | None:
    try:
        if path.suffix == ".npy":
            return read_array(path, "a homography").astype(float).ravel()
        text = read_text(path)
        if path.suffix == ".json":
            return np.asarray(json.loads(text), dtype=float).ravel()
        return _numbers(text)
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _numbers(text: str) -> np.ndarray | None:
    try:
        return np.array([float(token) for token in re.split(r"[,;\s]+", text.strip(" ,;[]\n"))])
    except ValueError:
        return None
