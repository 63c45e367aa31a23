"""Finding and reading result folders: one-pass ones and, through `rgbt_tracker.vot`, those of the VOT toolkit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.results import trajectory as vot
from rgbt_tracker.results.regions import region_to_box
from rgbt_tracker.sequences.rows import read_boxes

Kind = Literal["one-pass", "reset"]
NO_RESULTS = ("groundtruth", "list")  # of a dataset that was given in the place of results
COMPANIONS = ("_scores", "_time", "_confidence")
REPETITION = re.compile(r"(.+)_\d{3}\.(txt|bin)")


class Mark(IntEnum):
    """What happened in a frame of a trajectory."""

    TRACKED = 0
    STARTED = 1
    FAILED = 2
    SKIPPED = 3


@dataclass(frozen=True)
class Trajectory:
    """One run of one tracker on one sequence.

    Attributes:
        boxes: (N, 4) x, y, w, h; NaN where the tracker gave none.
        marks: (N,) values of `Mark`.
        scores: (N,) the tracker's own confidence, or None.
        seconds: (N,) time of each frame, or None.
        maps: file with its fusion weight maps (`rgbt_tracker.results.maps`), or None.
    """

    boxes: NDArray[np.float64]
    marks: NDArray[np.uint8]
    scores: NDArray[np.float64] | None = None
    seconds: NDArray[np.float64] | None = None
    maps: Path | None = None


@dataclass
class TrackerResults:
    """Everything one tracker wrote.

    Attributes:
        name: unique in the report.
        kind: "one-pass", or "reset" for VOT's supervised protocol.
        folder: where the results lie.
        files: sequence name -> result files, one for each repetition.
    """

    name: str
    kind: Kind
    folder: Path
    files: dict[str, list[Path]] = field(default_factory=dict)


def find_results(paths: Sequence[Path], experiment: str = "baseline") -> list[TrackerResults]:
    """Find the trackers below the given folders.

    Args:
        paths: each one a folder of ``<sequence>.txt`` files, a folder of such folders (``DIR/<tracker>/``), a tracker's
            folder in the VOT toolkit's layout (``<tracker>/<experiment>/``), a ``results`` folder of those or a
            workspace.
        experiment: the VOT experiment to read.

    Raises:
        UserError: a folder that does not exist or holds no results.
    """
    found: list[TrackerResults] = []
    for path in paths:
        if not path.is_dir():
            raise UserError(f"Expected a folder of results, got '{path}', which is not a folder.")
        trackers = _find(path, experiment)
        if not trackers:
            raise UserError(
                f"No results in '{path}': expected <tracker>/<sequence>.txt, <sequence>.txt or "
                f"<tracker>/{experiment}/<sequence>/<sequence>_001.txt."
            )
        found += trackers
    _make_unique(found)
    return found


def _find(path: Path, experiment: str) -> list[TrackerResults]:
    if (path / "results").is_dir() and not _text_files(path):
        path = path / "results"
    if single := _tracker(path, experiment):
        return [single]
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    return [tracker for folder in folders if (tracker := _tracker(folder, experiment))]


def _tracker(folder: Path, experiment: str) -> TrackerResults | None:
    """Return the results of a folder that is itself a tracker's, else None."""
    name = folder.resolve().name
    if (folder / experiment).is_dir():
        files = _repetitions(folder / experiment)
        return TrackerResults(name, "reset", folder, files) if files else None
    files = {file.stem: [file] for file in _text_files(folder)}
    return TrackerResults(name, "one-pass", folder, files) if files else None


def _text_files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.txt"))
    return [file for file in files if not file.stem.endswith(COMPANIONS) and file.stem not in NO_RESULTS]


def _repetitions(experiment: Path) -> dict[str, list[Path]]:
    """Group ``<sequence>/<sequence>_001.txt`` (the toolkit) or ``<sequence>_001.txt`` (the 2019 archives)."""
    files: dict[str, dict[str, Path]] = {}
    for file in sorted([*experiment.glob("*.*"), *experiment.glob("*/*.*")]):
        if match := REPETITION.fullmatch(file.name):
            files.setdefault(match[1], {})[file.stem] = file  # text sorts after binary and wins, as in the toolkit
    return {name: list(files[name].values()) for name in sorted(files)}


def _make_unique(trackers: list[TrackerResults]) -> None:
    """Put the parent folder before the names of trackers that share one; number what still coincides."""
    names = [tracker.name for tracker in trackers]
    for tracker in trackers:
        if names.count(tracker.name) > 1:
            tracker.name = f"{tracker.folder.resolve().parent.name}/{tracker.name}"
    seen: dict[str, int] = {}
    for tracker in trackers:
        seen[tracker.name] = seen.get(tracker.name, 0) + 1
        if seen[tracker.name] > 1:
            tracker.name += f" ({seen[tracker.name]})"


def read_one_pass(file: Path) -> Trajectory:
    """Read ``<sequence>.txt`` and the ``_scores`` and ``_time`` files and ``_maps.npz`` beside it.

    Raises:
        UserError: a line that is no box; the file and the line are named.
    """
    boxes = read_boxes(file)
    maps = file.with_name(f"{file.stem}_maps.npz")
    return Trajectory(
        boxes,
        np.full(len(boxes), Mark.TRACKED, np.uint8),
        _companion(file, "_scores", len(boxes)),
        _companion(file, "_time", len(boxes)),
        maps if maps.is_file() else None,
    )


def read_reset(file: Path) -> Trajectory:
    """Read a raw result of the VOT toolkit; regions become upright boxes.

    Raises:
        UserError: a line that is neither a region nor a code.
    """
    raw = vot.read_trajectory(file)
    boxes = np.array([[np.nan] * 4 if region is None else region_to_box(region) for region in raw.regions])
    marks = np.full(len(raw), Mark.TRACKED, np.uint8)
    for code, mark in ((vot.INITIALISED, Mark.STARTED), (vot.FAILED, Mark.FAILED), (vot.UNKNOWN, Mark.SKIPPED)):
        marks[raw.codes == code] = mark
    return Trajectory(boxes.reshape(-1, 4), marks)


def _companion(file: Path, suffix: str, length: int) -> NDArray[np.float64] | None:
    """Read one value a frame from the file beside ``file``; None when it is absent or of another length.

    Raises:
        UserError: a value that is not a number; the file is named.
    """
    beside = file.with_name(file.stem + suffix + ".txt")
    if not beside.is_file():
        return None
    try:
        values = np.array([float(word) for word in beside.read_text(encoding="utf-8").split()])
    except ValueError as error:
        raise UserError(f"Expected one number a line in '{beside}', got something else ({error}).") from error
    return values if len(values) == length else None
