"""Files of named arrays (NumPy's .npz), which may be a stranger's."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError

MOST_BYTES = 4_000_000_000
DAMAGE = (
    *(
        OSError,
        ValueError,
        KeyError,
        EOFError,
        TypeError,
        OverflowError,
        MemoryError,
        NotImplementedError,
        RuntimeError,
    ),
    *(SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""How NumPy, which parses Python, and Python's zip files end on damaged ones."""


def read_arrays(path: Path, what: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file by name; never an object that would run code.

    Args:
        what: it is expected to hold, for the message.

    Raises:
        UserError: it is something else, damaged, or would take more memory than such files do.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
        if size > MOST_BYTES:
            raise ValueError(f"{size / 1e9:.0f} GB of arrays")
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except DAMAGE as error:
        raise UserError(f"Expected {what} in '{path}', but it is damaged or something else ({error}).") from error


def read_array(path: Path, what: str) -> NDArray[Any]:
    """Return the array of an .npy file; otherwise as `read_arrays`."""
    try:
        found: NDArray[Any] = np.load(path, allow_pickle=False)
        return np.asarray(found)
    except DAMAGE as error:
        raise UserError(f"Expected {what} in '{path}', but it is damaged or something else ({error}).") from error


def part(
    arrays: Mapping[str, NDArray[Any]],
    name: str,
    shape: tuple[int | None, ...],
    *,
    least: float = -np.inf,
    most: float = np.inf,
    gaps: bool = False,
) -> NDArray[Any]:
    """The array of that name, of numbers or truth values, where it is what it should be.

    Args:
        shape: None for any length.
        least, most: of its values.
        gaps: whether values may be NaN.

    Raises:
        ValueError: it is not there, or has another shape or values; the message names it.
    """
    if name not in arrays:
        raise ValueError(f"there is no {name} in it")
    array = arrays[name]
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds something else than numbers")
    if array.ndim != len(shape) or any(due not in (None, got) for due, got in zip(shape, array.shape, strict=True)):
        raise ValueError(f"{name} has the shape {array.shape}")
    missing = np.isnan(array)
    if missing.any() and not gaps:
        raise ValueError(f"{name} is not finite")
    present = array[~missing]
    if np.isinf(present).any() or (present < least).any() or (present > most).any():
        raise ValueError(f"{name} holds values that cannot be")
    return array
