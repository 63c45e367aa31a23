"""Raw results and ground truth of the VOT toolkits: text or binary files of regions and special codes."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.results.region_overlap import Region

UNKNOWN, INITIALISED, FAILED, TRACKED = 0, 1, 2, -1


@dataclass(frozen=True)
class Trajectory:
    """One run of a tracker over a sequence of N frames.

    Attributes:
        codes: (N,) TRACKED where ``regions`` holds a region, else UNKNOWN, INITIALISED or FAILED.
        regions: N regions, (4,) rectangles or (2 n,) polygons in pixels, None on special frames.
    """

    codes: NDArray[np.int64]
    regions: list[Region | None]

    def __len__(self) -> int:
        return len(self.regions)


def make_trajectory(regions: Iterable[Region | int]) -> Trajectory:
    """Build a trajectory from regions and special codes in frame order."""
    items = list(regions)
    codes = np.array([int(item) if np.ndim(item) == 0 else TRACKED for item in items], dtype=np.int64)
    return Trajectory(codes, [None if np.ndim(item) == 0 else np.asarray(item, dtype=np.float64) for item in items])


def read_trajectory(path: Path) -> Trajectory:
    """Read a ``.txt`` (one region a line) or ``.bin`` file of the VOT toolkits.

    Raises:
        UserError: the file cannot be read, naming the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read '{path}': {error.strerror}.") from error
    if path.suffix == ".bin":
        return make_trajectory(_parse_binary(data, path))
    lines = data.decode("utf-8", errors="replace").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return make_trajectory(_parse_line(line, path, number) for number, line in enumerate(lines, start=1))


def _parse_line(line: str, path: Path, number: int) -> Region | int:
    try:
        values = np.array([float(token) for token in line.replace("\t", ",").strip().split(",")])
    except ValueError:
        values = np.empty(0)
    if values.size == 1 and values[0] in (UNKNOWN, INITIALISED, FAILED):
        return int(values[0])
    if values.size == 1 and np.isnan(values[0]):
        return UNKNOWN
    if values.size == 4 or (values.size >= 6 and values.size % 2 == 0):
        # The toolkits write an absent target as NaN.
        return UNKNOWN if np.isnan(values).any() else values
    raise UserError(
        f"Expected 1 (code 0, 1 or 2), 4 (x,y,w,h) or 2n numbers (polygon) separated by commas on line {number} "
        f"of '{path}', got '{line.strip()[:60]}'."
    )


def _parse_binary(data: bytes, path: Path) -> Iterable[Region | int]:
    """The toolkit's binary layout: version int16, length uint32, then per frame a type byte and its numbers."""
    try:
        version, length = struct.unpack_from("<hI", data)
        if version != 1:
            raise UserError(f"Expected a VOT result file of version 1, got version {version} in '{path}'.")
        position = 6
        for _ in range(length):
            kind, count = data[position], 4
            position += 1
            if kind == 0:
                yield struct.unpack_from("<I", data, position)[0]
                position += 4
                continue
            if kind == 2:
                count = 2 * struct.unpack_from("<H", data, position)[0]
                position += 2
            elif kind != 1:
                raise UserError(f"Expected rectangles and polygons in '{path}', got region type {kind} (a mask).")
            yield np.array(struct.unpack_from(f"<{count}f", data, position), dtype=np.float64)
            position += 4 * count
    except (struct.error, IndexError) as error:
        raise UserError(f"The result file '{path}' ends early: run the sequence again.") from error
