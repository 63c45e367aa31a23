"""When frames were taken: times that file names carry, files of times, and rates."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.cameras.names import composed
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import SUFFIXES
from nestfuse_core.common.reading import read_text

Times = NDArray[np.float64]

# Seconds since 1970 from 2001 to 2033, which begin with a 1 as no date (2024010112) or frame number (0000000123) does.
# Then decimals, or nanoseconds apart as ROS writes them, or thousandths, millionths, thousand millionths at once.
STAMP = re.compile(r"(?<!\d)(1\d{9})(?:\.(\d+)|[_-](\d{9})|(\d{9}|\d{6}|\d{3}))?(?!\d)")
SECONDS = re.compile(r"\d{1,9}\.\d+")
DECIMALS = 3
"""Of at least one name, where names are seconds from a start of their own: 1.1 and 1.2 are numbers of chapters."""
SHORTEST = 0.002
"""Seconds between frames; what lies closer is counted, not timed."""
FILES = ("times.csv", "times.txt", "timestamps.csv", "timestamps.txt")
"""Names under which a folder's own file of times is found."""
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3}
EPOCH = (1e9, 2e9)
FORM = "name or index and seconds in each line"


def name_times(stems: Sequence[str]) -> Times | None:
    """Return the times that file names without suffix carry, in seconds; None where they are no times.

    Times are seconds since 1970 with or without decimals (``1700000000.0333``), the same in milli-, micro- or
    nanoseconds (13, 16 or 19 digits), ROS's ``1700000000_033333333``, each also beside other words and numbers; or
    whole names that are seconds with decimals (``0.0333``). Every name must hold one, and no two the same.
    """
    for read in (_stamp, _seconds):
        found = list(takewhile(lambda time: time is not None, map(read, stems)))
        times = np.array(found, np.float64)
        told = len(found) == len(stems) and len(np.unique(times)) == len(times)
        if told and (read is _stamp or _plausible(stems, times)):
            return times
    return None


def _stamp(stem: str) -> float | None:
    found = STAMP.findall(stem)
    if len(found) != 1:
        return None
    whole, decimals, apart, attached = found[0]
    return int(whole) + float(f"0.{decimals or apart or attached or '0'}")


def _seconds(stem: str) -> float | None:
    return float(stem) if SECONDS.fullmatch(stem) else None


def _plausible(stems: Sequence[str], times: Times) -> bool:
    decimals = max(len(stem.partition(".")[2]) for stem in stems)
    return decimals >= DECIMALS and len(times) > 1 and float(np.median(np.diff(np.sort(times)))) >= SHORTEST


def in_order(files: Sequence[Path], key: Callable[[Path], Any]) -> list[Path]:
    """Sort a camera's files: by the times in their names where they are times, else by ``key``."""
    times = name_times([file.stem for file in files])
    return sorted(files, key=key) if times is None else [files[place] for place in np.argsort(times)]


def rate_times(count: int, fps: float, start: float = 0.0) -> Times:
    """Times of ``count`` frames at ``fps`` a second, the first at ``start``."""
    return start + np.arange(count) / fps


def parse_rates(text: str) -> tuple[float | None, float | None]:
    """``"30,9"`` -> frames a second of the visible and the thermal camera; one number is both's, ``",9"`` thermal's.

    Raises:
        UserError: something else.
    """
    parts = [part.strip() for part in text.split(",")]
    try:
        rates = [float(part) if part else None for part in parts]
    except ValueError:
        rates = []
    if len(rates) not in (1, 2) or not any(rates) or any(r is not None and not 0 < r < math.inf for r in rates):
        raise UserError(
            f"Expected one or two rates in frames a second for --fps (visible,thermal), such as 30,9, got '{text}'."
        )
    return rates[0], rates[-1]


def own_file(folder: Path) -> Path | None:
    """The file of times that a folder of frames holds, by its name."""
    return next((folder / name for name in FILES if (folder / name).is_file()), None)


def read_times(path: Path, names: Sequence[str], count: int | None = None) -> Times:
    """Read the times of frames from a text file: name or index and seconds in each line, in either order.

    Columns are separated by commas, semicolons, tabs or blanks; a header and lines that begin with # are allowed; an
    index counts from 0 or 1; one column alone is the times in order. Seconds may be ISO dates, or milli-, micro- or
    nanoseconds where the header says ``ms``, ``us`` or ``ns`` or they are so since 1970.

    Args:
        path: the file.
        names: of the image files, in order; empty for a video.
        count: number of frames, if there are no names.

    Returns:
        (count,) seconds, in the order of the names.

    Raises:
        UserError: the file is missing, a frame has no time in it, or a line is no such line.
    """
    wanted, length = [composed(name) for name in names], len(names) if count is None else count
    rows, unit = _rows(path)
    values = _by_name(rows, wanted) if wanted else None
    if values is None:
        values = _by_index(rows, length)
    if values is None:
        example = f", such as '{names[0]}'" if names else ""
        raise UserError(
            f"Expected a time for each of {length} frames{example} in '{path}' ({FORM}), "
            f"got {len(rows)} lines that do not fit."
        )
    return np.array(values) * (unit or _unit_since_1970(values))


def _rows(path: Path) -> tuple[list[list[str]], float | None]:
    """The cells of every line that is not a comment or the header, and the unit that these name, in seconds."""
    try:
        lines = read_text(path, replace=True).splitlines()
    except OSError as error:
        raise UserError(f"Cannot read the times '{path}': {error.strerror}; check the path.") from error
    words = [line for line in lines if line.lstrip().startswith("#")]
    rows = [_cells(line) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if rows and all(_number(cell) is None for cell in rows[0]):
        words.append(" ".join(rows.pop(0)))
    named = re.findall(r"(?<![a-z])(ns|us|ms)(?![a-z])", " ".join(words).lower())
    return rows, UNITS[named[0]] if named else None


def _cells(line: str) -> list[str]:
    mark = next((mark for mark in ",;\t" if mark in line), None)
    if mark is None:
        return [line.strip()] if _number(line) is not None else line.split()
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=mark, skipinitialspace=True))]
    except csv.Error:  # a cell of more than 100,000 letters
        return [line.strip()]


def _number(cell: str) -> float | None:
    """A cell as a number, or as the seconds since 1970 of an ISO date; None where it is neither."""
    try:
        value = float(cell)
    except ValueError:
        # Python 3.10 knows neither "Z" nor fractions of other than 3 or 6 digits.
        date = re.sub(r"\.(\d+)", lambda digits: f".{digits[1][:6]:0<6}", re.sub("[zZ]$", "+00:00", cell.strip()))
        try:
            moment = datetime.fromisoformat(date)
        except ValueError:
            return None
        return moment.replace(tzinfo=moment.tzinfo or timezone.utc).timestamp()
    return value if math.isfinite(value) else None


def _columns(rows: list[list[str]]) -> list[tuple[list[str], list[float]]]:
    """Every column as keys, with every other that holds numbers alone."""
    width = min((len(row) for row in rows), default=0)
    columns = [[row[place] for row in rows] for place in range(width)]
    numbers = [[_number(cell) for cell in column] for column in columns]
    return [
        (columns[key], [value for value in numbers[place] if value is not None])
        for key in range(width)
        for place in range(width)
        if key != place and None not in numbers[place]
    ]


def _by_name(rows: list[list[str]], names: list[str]) -> list[float] | None:
    for form in (str, _bare, lambda name: _bare(name).lstrip("0") or "0"):
        wanted = [form(name) for name in names]
        for keys, values in _columns(rows):
            files = (form(re.split(r"[/\\]", composed(key))[-1]) for key in keys)
            known = dict(zip(files, values, strict=True))
            if len(known) == len(keys) and all(name in known for name in wanted):
                return [known[name] for name in wanted]
    return None


def _bare(name: str) -> str:
    """A file's name without its suffix; 1700000000.9 has none."""
    suffix = Path(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in SUFFIXES else name


def _by_index(rows: list[list[str]], count: int) -> list[float] | None:
    if len(rows) != count:
        return None
    if all(len(row) == 1 for row in rows):
        times = [value for row in rows if (value := _number(row[0])) is not None]
        return times if len(times) == count else None
    for keys, values in _columns(rows):
        if all(key.isdecimal() for key in keys):
            indices = [int(key) for key in keys]
            if sorted(indices) in (list(range(count)), list(range(1, count + 1))):
                return [value for _, value in sorted(zip(indices, values, strict=True))]
    return None


def _unit_since_1970(values: Sequence[float]) -> float:
    return next((u for u in UNITS.values() if all(EPOCH[0] <= value * u < EPOCH[1] for value in values)), 1.0)
