"""Fusion weight maps beside a result: ``<sequence>_maps.npz``.

Arrays of the file, for a sequence of N frames:

- ``windows``: (N, 4) float32, the search area x, y, w, h in the frame; NaN where nothing was recorded.
- one array for each fused level, named after it: (N, h, w) uint8, the share of the thermal modality in the fused
  features, 0 for RGB alone and 255 for thermal alone.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.arrays import read_arrays
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import replacing


def thermal_share(weights: ArrayLike) -> NDArray[np.uint8]:
    """Return the share of the last modality: (2, h, w) non-negative weights, RGB then thermal -> (h, w) 0..255."""
    rgb, ir = np.asarray(weights, dtype=np.float64)
    total = rgb + ir
    share = np.divide(ir, total, out=np.full_like(total, 0.5), where=total > 0)
    return np.round(255 * np.clip(share, 0, 1)).astype(np.uint8)


def write_maps(
    path: Path, frames: Sequence[Mapping[str, ArrayLike] | None], windows: Sequence[ArrayLike | None]
) -> None:
    """Write the maps of a sequence.

    Args:
        path: ``<sequence>_maps.npz``.
        frames: for each frame level -> (2, h, w) weights, or None where the tracker gave none.
        windows: for each frame the search area x, y, w, h, or None.
    """
    levels = {name: np.shape(maps)[-2:] for frame in frames for name, maps in (frame or {}).items()}
    stacks = {name: np.full((len(frames), *size), 128, np.uint8) for name, size in levels.items()}
    areas = np.full((len(frames), 4), np.nan, np.float32)
    for index, (frame, area) in enumerate(zip(frames, windows, strict=True)):
        if frame is None or area is None:
            continue
        areas[index] = area
        for name, maps in frame.items():
            stacks[name][index] = thermal_share(maps)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **{**stacks, "windows": areas})  # type: ignore[arg-type]


def read_maps(path: Path, length: int) -> dict[str, dict]:
    """Return the maps in the form the player takes: level -> width, height, windows, values (base64), gain.

    ``gain`` stretches the colours to what occurs: attention shares lie close to one half.

    Raises:
        UserError: not such a file, or of another number of frames.
    """
    arrays = read_arrays(path, "fusion weight maps")
    windows = arrays.pop("windows", np.empty(0))
    if windows.shape != (length, 4):
        raise UserError(f"'{path}' holds the maps of {len(np.atleast_1d(windows))} frames, the sequence has {length}.")
    areas = [None if np.isnan(area).any() else [round(float(value), 1) for value in area] for area in windows]
    return {name: _level(values, areas) for name, values in arrays.items() if values.ndim == 3}


def _level(values: NDArray[np.uint8], windows: list) -> dict:
    away = np.abs(values.astype(np.float32) / 127.5 - 1)
    return {
        "width": int(values.shape[2]),
        "height": int(values.shape[1]),
        "windows": windows,
        "values": base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii"),
        "gain": round(float(1 / max(np.percentile(away, 99), 0.02)), 2),
    }
