"""Reading crop sets: target-centred JPEG crops with ``index.json`` (docs/reference/crop-sets.md)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import read_bgr
from nestfuse_core.common.sections import read_json, shown
from rgbt_tracker.training.views import Image

INDEX = "index.json"
MODALITIES = ("rgb", "ir")
KINDS = ("video", "still")


@dataclass(frozen=True)
class CropEntry:
    """One crop, as a row of ``index.json`` describes it.

    Attributes:
        sequence: name of the target's sequence; crops of both modalities of one target share it.
        modality: "rgb" or "ir".
        frame: 1-based frame number in the source sequence, 0 for stills.
        file: path of the JPEG, relative to the set's folder.
        box: x, y, w, h of the target in crop pixels (0-based, pixel i covers [i, i + 1)).
        source, licence: where the frames came from and under which terms.
        kind: "video" (several crops of one target share ``sequence``) or "still" (only one instant exists).
        object: class of the target, "" where unknown.
        source_box: x, y, w, h in the source frame, 0-based.
    """

    sequence: str
    modality: str
    frame: int
    file: str
    box: tuple[float, float, float, float]
    source: str = ""
    licence: str = ""
    kind: str = "video"
    object: str = ""
    source_box: tuple[float, ...] = ()

    def row(self) -> dict[str, Any]:
        """The entry as the JSON object that ``index.json`` holds."""
        return {**asdict(self), "box": list(self.box), "source_box": list(self.source_box)}


@dataclass(frozen=True)
class CropPair:
    """The crops of one instant of one target; a modality is None where the set has no crop of it."""

    sequence: str
    frame: int
    rgb: CropEntry | None
    ir: CropEntry | None

    @property
    def crops(self) -> dict[str, CropEntry]:
        """The crops that there are, by modality, the visible one first."""
        return {entry.modality: entry for entry in (self.rgb, self.ir) if entry is not None}


class CropSet:
    """A folder of crops.

    Attributes:
        path: the folder.
        entries: every crop, in the order of ``index.json``.

    Raises:
        UserError: the folder or its index is missing, or a row lacks a field or holds a wrong value.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.entries = tuple(read_index(self.path))

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[CropEntry]:
        return iter(self.entries)

    def load(self, entry: CropEntry) -> Image:
        """Read a crop: HxWx3 uint8, BGR; one-channel (thermal) files are repeated over the channels."""
        return read_bgr(self.path / entry.file, "crop", "make the set again")

    def pairs(self) -> dict[str, list[CropPair]]:
        """Sequence name -> its instants by frame number, both modalities of an instant side by side."""
        return paired(self.entries)


def paired(entries: Iterable[CropEntry]) -> dict[str, list[CropPair]]:
    """Sequence name -> its instants by frame number, both modalities of an instant side by side."""
    found: dict[str, dict[int, dict[str, CropEntry]]] = {}
    for entry in entries:
        found.setdefault(entry.sequence, {}).setdefault(entry.frame, {})[entry.modality] = entry
    return {
        name: [CropPair(name, number, by.get("rgb"), by.get("ir")) for number, by in sorted(frames.items())]
        for name, frames in found.items()
    }


def read_index(folder: Path) -> list[CropEntry]:
    """Read and check ``folder/index.json``."""
    path = folder / INDEX
    if not path.is_file():
        raise UserError(
            f"Expected a crop set with {INDEX} at {folder}, found none; "
            f"make one with: rgbt data crops SEQUENCE --output {folder}"
        )
    return [_entry(row, f"{path}, row {number}") for number, row in enumerate(read_rows(path, "crops"))]


def read_rows(path: Path, what: str) -> list[Any]:
    """The rows of an index file, a JSON list of ``what``. Raises UserError for anything else."""
    rows = read_json(path)
    if not isinstance(rows, list):
        raise UserError(f"Expected a list of {what} in {path}, got {type(rows).__name__}.")
    return rows


def _entry(row: Any, where: str) -> CropEntry:
    """Check one row; unknown keys are kept out, missing ones named."""
    if not isinstance(row, dict):
        raise UserError(f"{where}: expected an object, got {type(row).__name__}.")
    missing = [key for key in ("sequence", "modality", "frame", "file", "box") if key not in row]
    if missing:
        raise UserError(f"{where}: expected the key '{missing[0]}', which is missing.")
    try:
        box, frame = tuple(float(value) for value in row["box"]), int(row["frame"])
        source_box = tuple(float(value) for value in row.get("source_box", ()))
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"{where}: expected numbers as box, frame and source_box.") from None
    if len(box) != 4 or not np.isfinite(box).all() or min(box[2:]) <= 0:
        raise UserError(f"{where}: expected box [x, y, w, h] with positive sides, got {shown(row['box'])}.")
    if row["modality"] not in MODALITIES:
        raise UserError(f"{where}: expected modality 'rgb' or 'ir', got '{row['modality']}'.")
    if row.get("kind", "video") not in KINDS:
        raise UserError(f"{where}: expected kind 'video' or 'still', got '{row['kind']}'.")
    return CropEntry(
        sequence=str(row["sequence"]),
        modality=row["modality"],
        frame=frame,
        file=str(row["file"]),
        box=(box[0], box[1], box[2], box[3]),
        source=str(row.get("source", "")),
        licence=str(row.get("licence", "")),
        kind=row.get("kind", "video"),
        object=str(row.get("object", "")),
        source_box=source_box,
    )
