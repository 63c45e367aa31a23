"""Ground truth of a benchmark or a folder of sequences: which sequences there are, and where their annotation lies.

Recognised: one folder a sequence (the data sets themselves, the toolkits of GTOT, RGBT210, RGBT234, VTUAV and VOT) and
one text file a sequence (LasHeR's toolkit). The files are read by `rgbt_tracker.sequences.annotations`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.sections import read_json
from rgbt_tracker.evaluation import attributes
from rgbt_tracker.results.write import COMPANIONS
from rgbt_tracker.sequences.annotations import BY_CAMERA, OWN, annotation_files
from rgbt_tracker.sequences.folders import is_sequence, read_properties

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Size = tuple[int, int]

LISTS = ("lashertest.txt", "testingsetList.txt", "SequencesName.txt", "attr_txt/SequencesName.txt", "list.txt")
# Text files that lie beside annotations and are none, lower case.
NOT_SEQUENCES = {"attributes_order.txt", *OWN, *BY_CAMERA["rgb"], *BY_CAMERA["ir"]}


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


def image_size(files: Files, stated: Mapping[str, Size]) -> Size | None:
    """The images' (width, height) of a sequence: as `stated_sizes` has it, else by its file ``sequence``."""
    if files.name in stated or not files.folder:
        return stated.get(files.name)
    return _described_size(files.folder / "sequence")


def find_sequences(root: Path) -> dict[str, Files]:
    """Find the annotated sequences in a folder or up to two folders below it: name -> files, sorted by name.

    Raises:
        UserError: no such folder, or nothing annotated in it.
    """
    if not root.is_dir():
        raise UserError(f"Expected a folder of sequences or their ground truth, got '{root}', which is none.")
    found = merged(groups_in(root))
    if not found:
        raise UserError(f"Expected sequences, or ground truth as NAME.txt, in '{root}', found neither.")
    return dict(sorted(found.items()))


def groups_in(base: Path) -> list[dict[str, Files]]:
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


def merged(groups: Iterable[dict[str, Files]]) -> dict[str, Files]:
    """All sequences together; of those with the same name the first counts."""
    together: dict[str, Files] = {}
    for group in groups:
        together = {**group, **together}
    return together


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


def stated_sizes(folder: Path) -> dict[str, Size]:
    """Name -> (width, height) of the images, as far as ``sequences.json`` in a folder of ground truth says."""
    file = folder / "sequences.json"
    if not file.is_file():
        return {}
    content = read_json(file)
    try:
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
