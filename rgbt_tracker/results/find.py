"""Finding results: which trackers' files lie in a folder, in the layouts that we and the public toolkits write."""

from __future__ import annotations

import glob
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nestfuse_core.common.errors import UserError
from rgbt_tracker.results.settings import benchmark_of
from rgbt_tracker.results.write import COMPANIONS, target_name, targets_file

Kind = Literal["one-pass", "reset"]
REPETITION = re.compile(r"(.+)_\d{3}\.(txt|bin)")
EXPERIMENT = "baseline"


@dataclass
class TrackerResults:
    """Everything one tracker wrote.

    Attributes:
        name: unique among those found together.
        kind: "one-pass", or "reset" for VOT's reset-based protocol.
        folder: where the files lie; of reset-based results the one above the experiment.
        files: sequence name -> result files, one for each repetition.
        others: how many files in the folder belong to no sequence that was looked for.
    """

    name: str
    kind: Kind
    folder: Path
    files: dict[str, list[Path]]
    others: int = 0

    @property
    def benchmark(self) -> str | None:
        """What the results were made for; None where nothing beside them says so."""
        return benchmark_of(self.folder)

    def one_pass_files(self) -> dict[str, Path]:
        """Sequence name -> result file.

        Raises:
            UserError: the results are reset-based.
        """
        if self.kind == "reset":
            raise UserError(
                f"'{self.folder}' holds VOT results with resets, which 'rgbt vot score' scores; here a box a frame is "
                "due."
            )
        return {name: files[0] for name, files in self.files.items()}


def find_results(
    paths: Sequence[Path], sequences: Collection[str], experiment: str = EXPERIMENT
) -> list[TrackerResults]:
    """Find the trackers below the given folders.

    Args:
        paths: each one a folder of ``SEQUENCE.txt`` files (the tracker is called as the folder), of
            ``TRACKER_SEQUENCE.txt`` or ``TRACKERSEQUENCE.txt`` files (the MATLAB toolkits; several trackers may share
            it) or of such folders; or a tracker's folder of the VOT toolkit (``TRACKER/EXPERIMENT/...``), its
            experiment's folder, a ``results`` folder of those or a workspace. Where there were several targets
            (``SEQUENCE_mot.txt``), the first one's file stands for the sequence.
        sequences: names of the sequences that count; files of others are passed over.
        experiment: the VOT experiment to read.

    Returns:
        The trackers in the order of ``paths``, each under a name of its own.

    Raises:
        UserError: a folder that does not exist or holds no results of the sequences.
    """
    found: list[TrackerResults] = []
    for path in paths:
        if not path.is_dir():
            raise UserError(f"Expected a folder of results, got '{path}', which is not a folder.")
        trackers = _find(path, set(sequences), experiment)
        if not trackers:
            examples = f" for sequences such as {', '.join(sorted(sequences)[:3])}" if sequences else ""
            raise UserError(
                f"No results in '{path}': expected SEQUENCE.txt, TRACKER_SEQUENCE.txt, TRACKER/SEQUENCE.txt or "
                f"TRACKER/{experiment}/SEQUENCE/SEQUENCE_001.txt{examples}."
            )
        found += trackers
    _make_unique(found)
    return found


def _find(path: Path, names: set[str], experiment: str) -> list[TrackerResults]:
    if (path / "results").is_dir() and not any(path.glob("*.txt")):
        path = path / "results"
    merged: dict[tuple[str, Kind], TrackerResults] = {}
    folders = (folder for folder in sorted(path.iterdir()) if folder.is_dir() and not folder.name.startswith("."))
    own = _with_resets(path, names, experiment)
    for place in [path] if own else [path, *folders]:
        for tracker in [own] if own else _in_folder(place, names, experiment):
            # A tracker of the MATLAB layout may be spread over several folders.
            first = merged.setdefault((tracker.name, tracker.kind), tracker)
            if first is not tracker:
                first.files.update(tracker.files)
                first.others += tracker.others
    return list(merged.values())


def _in_folder(folder: Path, names: set[str], experiment: str) -> list[TrackerResults]:
    reset = _with_resets(folder, names, experiment)
    return [reset] if reset else _one_pass(folder, names)


def _with_resets(folder: Path, names: set[str], experiment: str) -> TrackerResults | None:
    """The reset-based results of a folder that is a tracker's or its experiment's, else None."""
    for place in (folder / experiment, folder):
        files = _repetitions(place, names) if place.is_dir() else {}
        if files:
            home = place.resolve().parent if place.name == experiment else folder
            return TrackerResults(home.resolve().name, "reset", home, files)
    return None


def _repetitions(folder: Path, names: set[str]) -> dict[str, list[Path]]:
    """Group ``SEQUENCE/SEQUENCE_001.txt`` (the toolkit) or ``SEQUENCE_001.txt`` (the 2019 archives)."""
    files: dict[str, dict[str, Path]] = {}
    for file in sorted([*folder.glob("*.*"), *folder.glob("*/*.*")]):
        match = REPETITION.fullmatch(file.name)
        if match and match[1] in names and (file.parent == folder or file.parent.name == match[1]):
            files.setdefault(match[1], {})[file.stem] = file  # text sorts after binary and wins, as in the toolkit
    return {name: list(files[name].values()) for name in sorted(files)}


def _one_pass(folder: Path, names: set[str]) -> list[TrackerResults]:
    """The one-pass results of a folder, by what stands before the sequence's name in the files'."""
    groups: dict[str, dict[str, list[Path]]] = {}
    others = 0
    longest_first = sorted(names, key=len, reverse=True)
    several = _of_several(folder, names)
    for path in sorted(set(folder.glob("*.txt")).difference(*several.values())):
        if path.stem in names:  # first of all: 'redcar' is a sequence of its own, not tracker 'red' on 'car'
            groups.setdefault("", {})[path.stem] = [path]
        elif not path.name.endswith(tuple(COMPANIONS.values())):
            name = next((name for name in longest_first if path.stem.endswith(name)), None)
            if name is None:
                others += 1
            else:
                groups.setdefault(path.stem.removesuffix(name), {})[name] = [path]
    for name, targets in several.items():
        groups.setdefault("", {}).setdefault(name, targets[:1])
    whole, ending = len(groups.get("", {})), sum(len(files) for prefix, files in groups.items() if prefix)
    if whole > ending:
        # Results of more sequences than are looked for: '10rightblackboy' is one of them, not tracker '10right'.
        groups, others = {"": groups[""]}, others + ending
    place = folder.resolve().name
    return [
        TrackerResults(prefix.rstrip("_- ") or place, "one-pass", folder, files, others)
        for prefix, files in groups.items()
    ]


def _of_several(folder: Path, names: set[str]) -> dict[str, list[Path]]:
    """Sequence name -> ``NAME_1.txt``, ... in ascending order, of those that were tracked with several targets."""
    found: dict[str, list[Path]] = {}
    for name in names:
        if targets_file(folder, name).is_file():
            numbered = {number: folder / f"{target_name(name, number)}.txt" for number in _numbers(folder, name)}
            found[name] = [numbered[number] for number in sorted(numbered)]
    return {name: files for name, files in found.items() if files}


def _numbers(folder: Path, name: str) -> list[int]:
    ends = (path.stem.removeprefix(f"{name}_") for path in folder.glob(f"{glob.escape(name)}_*.txt"))
    return [int(end) for end in ends if end.isdecimal()]


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
