"""Attributes of the benchmarks' sequences, as their authors and toolkits write them down.

Recognised: ``attr_txt/BC.txt`` (one line a sequence), ``AttriSeqsTxt/NAME.txt`` (one line of flags), VTUAV's
``AttrMat_ST.mat`` and VOT's ``NAME/occlusion.tag`` (one line a frame).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.reading import read_text

UNTAGGED = "no attribute"
FOLDERS = ("attr_txt", "AttriSeqsTxt", "TypeSeqsTxt")


def read_attributes(
    places: Iterable[Path], tags: Mapping[str, Mapping[str, NDArray[np.bool_]]], known: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Read which sequences have which attribute.

    Args:
        places: folders that may describe the attributes, the likeliest first.
        tags: of every sequence that counts, its attributes by frame; taken where no folder says anything.
        known: the benchmark's own attributes in the order of its tables.

    Returns:
        Attribute -> sequences that have it; empty where nothing is described.
    """
    for folder in dict.fromkeys(places):
        for flags in (_by_attribute(folder), _by_sequence(folder, known), _of_matlab(folder)):
            if flags:
                kept = {name: tuple(s for s in tags if s in flags[name]) for name in flags}
                return {name: kept[name] for name in (*known, *sorted(kept)) if kept.get(name)}
    return _of_tags(tags)


def _by_attribute(base: Path) -> dict[str, set[str]]:
    folder = base / "attr_txt"
    order = next((path for path in (folder / "SequencesName.txt", base / "SequencesName.txt") if path.is_file()), None)
    if not folder.is_dir() or order is None:
        return {}
    names = read_text(order, replace=True).split()
    flags = {}
    for path in sorted(folder.glob("*.txt")):
        if path != order:
            values = [value not in ("0", "0.0") for value in _words(path)]
            flags[path.stem] = {name for name, value in zip(names, values, strict=False) if value}
    return flags


def _by_sequence(base: Path, known: Sequence[str]) -> dict[str, set[str]]:
    folder = base / "AttriSeqsTxt"
    if not folder.is_dir():
        return {}
    order = base / "Attributes_order.txt"
    attributes = _words(order) if order.is_file() else known
    flags: dict[str, set[str]] = {attribute: set() for attribute in attributes}
    for path in folder.glob("*.txt"):
        values = _words(path)
        for attribute, value in zip(attributes, values, strict=False):
            if float(value) == 1:
                flags[attribute].add(path.stem)
    return flags


def _of_matlab(base: Path) -> dict[str, set[str]]:
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


def _of_tags(tags: Mapping[str, Mapping[str, NDArray[np.bool_]]]) -> dict[str, tuple[str, ...]]:
    """VOT: a sequence has an attribute when at least one of its frames has."""
    names = sorted({name for each in tags.values() for name in each})
    flags = {
        name: tuple(sequence for sequence, each in tags.items() if np.any(each.get(name, False))) for name in names
    }
    return {name: sequences for name, sequences in flags.items() if sequences}


def with_untagged(tags: Mapping[str, NDArray[np.bool_]]) -> dict[str, NDArray[np.bool_]]:
    """The tags of a sequence, with the frames that carry none under `UNTAGGED` where there are any tags."""
    named = {name: np.asarray(values, dtype=bool) for name, values in tags.items() if name != "empty"}
    bare = ~np.logical_or.reduce(list(named.values())) if named else np.zeros(0, bool)
    return {**named, UNTAGGED: bare} if bare.any() else named


def _words(path: Path) -> list[str]:
    """What stands between commas and blanks."""
    return read_text(path, replace=True).replace(",", " ").split()
