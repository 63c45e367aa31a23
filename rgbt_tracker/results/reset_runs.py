"""Find raw results and ground truth on disk and turn them into runs."""

from __future__ import annotations

import configparser
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError, suggestion
from rgbt_tracker.evaluation.reset_measures import Run, SequenceRuns
from rgbt_tracker.results.region_overlap import overlaps
from rgbt_tracker.results.trajectory import Trajectory, read_trajectory


@dataclass(frozen=True)
class Annotation:
    """Ground truth of one sequence: regions, image (width, height) when known, attributes tag -> (N,) bool."""

    name: str
    truth: Trajectory
    size: tuple[int, int] | None
    tags: dict[str, NDArray[np.bool_]] = field(default_factory=dict)


def load_runs(results: Path, ground_truth: Path, sequences: list[str] | None = None) -> list[SequenceRuns]:
    """Read every repetition of every sequence and compare it with the ground truth.

    Args:
        results: folder with ``NAME_001.txt`` (or ``.bin``, or ``NAME/NAME_001.*``), or the folder above ``baseline``.
        ground_truth: folder of ``NAME.txt`` with sizes in ``sequences.json``, or of a dataset in the VOT layout.
        sequences: names to take; all of the ground truth by default.

    Raises:
        UserError: missing sequences or results, or lengths that differ.
    """
    annotations = read_annotations(ground_truth, sequences)
    folder = _results_folder(results, annotations[0].name)
    files = {item.name: _repetitions(folder, item.name) for item in annotations}
    missing = [name for name, found in files.items() if not found]
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise UserError(
            f"Expected results of {len(annotations)} sequences in '{folder}', {len(missing)} are missing ({shown}); "
            f"run them, or name those to score with --sequences."
        )
    return [_sequence_runs(item, files[item.name]) for item in annotations]


def read_annotations(ground_truth: Path, sequences: list[str] | None = None) -> list[Annotation]:
    """Ground truth of the sequences below a folder, in either layout of ``load_runs``; sorted by name or as listed."""
    if not ground_truth.is_dir():
        raise UserError(f"Expected a folder of ground truth, '{ground_truth}' is none.")
    sources = {path.parent.name: path for path in sorted(ground_truth.glob("*/groundtruth.txt"))}
    if not sources:
        sources = {path.stem: path for path in sorted(ground_truth.glob("*.txt")) if path.stem != "list"}
    if not sources:
        raise UserError(
            f"Expected ground truth as NAME.txt or NAME/groundtruth.txt in '{ground_truth}', found neither."
        )
    for name in sequences or []:
        if name not in sources:
            raise UserError(f"There is no ground truth of '{name}' in '{ground_truth}'{suggestion(name, sources)}")
    sizes = _sizes(ground_truth)
    return [_annotation(name, sources[name], sizes) for name in (sequences or sources)]


def _annotation(name: str, path: Path, sizes: dict[str, tuple[int, int]]) -> Annotation:
    truth = read_trajectory(path)
    if path.name != "groundtruth.txt":
        return Annotation(name, truth, sizes.get(name))
    tags = {file.stem: _read_tag(file, len(truth)) for file in sorted(path.parent.glob("*.tag"))}
    return Annotation(name, truth, sizes.get(name) or _described_size(path.parent / "sequence"), tags)


def _sizes(folder: Path) -> dict[str, tuple[int, int]]:
    file = folder / "sequences.json"
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {name: (int(item["width"]), int(item["height"])) for name, item in content.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f'Expected {{"NAME": {{"width": W, "height": H}}}} in \'{file}\': {error}.') from error


def _described_size(file: Path) -> tuple[int, int] | None:
    """Width and height from the ``sequence`` file, which is an INI file without a section."""
    if not file.is_file():
        return None
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string("[sequence]\n" + file.read_text(encoding="utf-8"))
        section = parser["sequence"]
        return section.getint("width", 0), section.getint("height", 0)
    except (configparser.Error, ValueError) as error:
        raise UserError(f"Cannot read width and height in '{file}': {error}.") from error


def _read_tag(file: Path, length: int) -> NDArray[np.bool_]:
    mask = np.zeros(length, dtype=bool)
    values = [line.strip() == "1" for line in file.read_text(encoding="utf-8").splitlines()][:length]
    mask[: len(values)] = values
    return mask


def _results_folder(results: Path, name: str) -> Path:
    """The folder itself or its ``baseline``, whichever holds results of a sequence."""
    if not results.is_dir():
        raise UserError(f"Expected a folder of results, '{results}' is none.")
    inner = results / "baseline"
    return inner if inner.is_dir() and not _repetitions(results, name) else results


def _repetitions(folder: Path, name: str) -> list[Path]:
    """Result files of a sequence, one a repetition; text wins over binary, as in the toolkit."""
    pattern = re.compile(re.escape(name) + r"_(\d{3})\.(txt|bin)")
    found: dict[str, Path] = {}
    for place in (folder, folder / name):
        for path in sorted(place.glob(f"{name}_*.*")) if place.is_dir() else []:
            match = pattern.fullmatch(path.name)
            if match:
                found[match.group(1)] = path
    return [found[key] for key in sorted(found)]


def _sequence_runs(item: Annotation, files: list[Path]) -> SequenceRuns:
    return SequenceRuns(item.name, [_run(item, file) for file in files], item.tags)


def _run(item: Annotation, file: Path) -> Run:
    trajectory = read_trajectory(file)
    if len(trajectory) != len(item.truth):
        raise UserError(
            f"Expected {len(item.truth)} frames in '{file}', the length of the ground truth, got {len(trajectory)}."
        )
    return Run(overlaps(trajectory.regions, item.truth.regions, item.size), trajectory.codes)
