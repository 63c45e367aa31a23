"""Reading results: one file of a tracker (boxes as text, the VOT toolkit's text or binary) as a trajectory."""

from __future__ import annotations

import struct
from collections.abc import Container, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.reading import read_bytes, read_table, read_text
from rgbt_tracker.box_files import is_absent, read_lines
from rgbt_tracker.results.find import TrackerResults
from rgbt_tracker.results.region_overlap import Region
from rgbt_tracker.results.trajectory import FAILED, INITIALISED, UNKNOWN, Trajectory
from rgbt_tracker.results.write import COMPANIONS, FRAMES_HEADER, FrameRow, targets_file


def read_results(tracker: TrackerResults, only: Container[str] | None = None) -> dict[str, list[Trajectory]]:
    """Read what a tracker wrote: sequence -> its repetitions, one in one pass.

    Args:
        tracker: from `rgbt_tracker.results.find.find_results`.
        only: sequences to read; all by default.

    Raises:
        UserError: a file that cannot be read, naming the line.
    """
    read = read_one_pass if tracker.kind == "one-pass" else read_trajectory
    chosen = {name: files for name, files in tracker.files.items() if only is None or name in only}
    return {name: [read(file) for file in files] for name, files in chosen.items()}


def read_trajectory(path: Path) -> Trajectory:
    """Read a ``.txt`` (one region or code a line) or ``.bin`` file of the VOT toolkits, results and ground truth alike.

    Raises:
        UserError: the file cannot be read, naming the line.
    """
    if path.suffix == ".bin":
        items = list(_parse_binary(path))
    else:
        items = [_region(numbers, number, path) for number, numbers in enumerate(read_lines(path), 1)]
    trajectory = Trajectory.of_regions(items)
    return Trajectory(trajectory.regions, trajectory.codes, source=path)


def read_one_pass(path: Path) -> Trajectory:
    """Read ``SEQUENCE.txt``, a box of 4 or 8 numbers a line, with the scores, times and maps beside it.

    Scores and times of another length than the boxes are left out.

    Raises:
        UserError: a line that is no box or of another form than the others, or a result with resets; names the line.
    """
    track = read_trajectory(path)
    if track.codes[0] == INITIALISED:
        raise UserError(
            f"'{path}' is a VOT result with resets, which 'rgbt vot score' scores; here a box a frame is due."
        )
    width = next((len(region) for region in track.regions if region is not None), 4)
    for number, (region, code) in enumerate(zip(track.regions, track.codes, strict=True), 1):
        count = 1 if region is None else len(region)
        if code in (INITIALISED, FAILED) or (region is not None and (count not in (4, 8) or count != width)):
            raise UserError(f"Expected 4 or 8 numbers in every line of '{path}', got {count} in line {number}.")
    maps, frames = (path.with_name(path.stem + COMPANIONS[kind]) for kind in ("maps", "frames"))
    return Trajectory(
        track.regions,
        track.codes,
        _companion(path, "scores", len(track)),
        _companion(path, "times", len(track)),
        maps if maps.is_file() else None,
        frames if frames.is_file() else None,
        _of_several(path),
        path,
    )


def _of_several(path: Path) -> Path | None:
    """The file of all targets beside ``NAME_1.txt``."""
    name, _, number = path.stem.rpartition("_")
    targets = targets_file(path.parent, name)
    return targets if number.isdecimal() and targets.is_file() else None


def read_frames(path: Path) -> list[FrameRow]:
    """Read ``NAME_frames.csv``: a row for every tracked frame, in order.

    Raises:
        UserError: the file cannot be read, or a row is none of these; names the line.
    """
    try:
        header, *lines = read_table(path, replace=True) or [[]]
    except OSError as error:
        raise UserError(f"Cannot read '{path}': {error.strerror}.") from error
    if header != FRAMES_HEADER.split(","):
        raise UserError(f"Expected the header {FRAMES_HEADER} in line 1 of '{path}', got '{','.join(header)[:60]}'.")
    return [_frame_row(line, number, path) for number, line in enumerate(lines, 2)]


def frames_without(rows: list[FrameRow], length: int) -> dict[str, NDArray[np.bool_]]:
    """In which frames a tracker had to do without one of its cameras.

    Args:
        rows: as `read_frames` returns them.
        length: of the sequence.

    Returns:
        Camera, of those used in any frame -> (length,) bool; only cameras that were missing in some frame.
    """
    cameras = [camera for camera in ("rgb", "ir") if any(camera in row.cameras for row in rows)]
    without = {camera: np.zeros(length, np.bool_) for camera in cameras}
    for row in rows:
        for camera in cameras:
            if row.frame < length and camera not in row.cameras:
                without[camera][row.frame] = True
    return {camera: flags for camera, flags in without.items() if flags.any()}


def _frame_row(line: list[str], number: int, path: Path) -> FrameRow:
    try:
        frame, time, rgb, ir, used = line
        cameras = tuple(used.split("+")) if used else ()
        if not set(cameras) <= {"rgb", "ir"}:
            raise ValueError
        first, second = (int(index) if index else None for index in (rgb, ir))
        return FrameRow(int(frame), float(time) if time else None, first, second, cameras)
    except ValueError:
        raise UserError(
            f"Expected {FRAMES_HEADER} in line {number} of '{path}', got '{','.join(line)[:60]}'."
        ) from None


def _companion(path: Path, kind: str, length: int) -> NDArray[np.float64]:
    """One value a frame from the file beside ``path``; empty when it is absent or of another length."""
    beside = path.with_name(path.stem + COMPANIONS[kind])
    if not beside.is_file():
        return np.empty(0)
    try:
        values = np.array([float(word) for word in read_text(beside, replace=True).split()])
    except ValueError as error:
        raise UserError(f"Expected one number a line in '{beside}', got something else ({error}).") from error
    return values if len(values) == length else np.empty(0)


def _region(numbers: NDArray[np.float64], number: int, path: Path) -> Region | int:
    if is_absent(numbers):
        return UNKNOWN
    if numbers.size > 1:
        return numbers
    if numbers[0] in (INITIALISED, FAILED):
        return int(numbers[0])
    raise UserError(
        f"Expected a box, its corners or a code (0, 1 or 2) in line {number} of '{path}', got {numbers[0]:g}."
    )


def _parse_binary(path: Path) -> Iterable[Region | int]:
    """The toolkit's binary layout: version int16, length uint32, then per frame a type byte and its numbers."""
    try:
        data = read_bytes(path)
    except OSError as error:
        raise UserError(f"Cannot read '{path}': {error.strerror}.") from error
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
