"""The sequences of a report: opened by name, or ground truth alone where there are no images."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from nestfuse_core.common.errors import UserError, nearest
from rgbt_tracker.results.regions import region_to_box
from rgbt_tracker.results.reset_runs import read_annotations
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.sequences.folders import is_sequence, open_folder


class BoxesOnly(FrameSequence):
    """A sequence whose ground truth is known and whose images are not.

    ``size`` is from ``sequences.json`` or, failing that, the extent of the boxes.
    """

    cameras = ()

    def __init__(self, folder: Path, name: str) -> None:
        (annotation,) = read_annotations(folder, [name])
        boxes = [[np.nan] * 4 if region is None else region_to_box(region) for region in annotation.truth.regions]
        truth = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
        super().__init__(SequenceInfo(name, len(truth), groundtruth=truth, source=str(folder / f"{name}.txt")))
        extent = np.nanmax(truth[:, :2] + truth[:, 2:], axis=0, initial=16)
        self.size = annotation.size or (int(np.ceil(extent[0])), int(np.ceil(extent[1])))

    def frame(self, index: int) -> Frame:
        return Frame(index, None, None)


def open_sequences(folder: Path, names: Iterable[str]) -> dict[str, FrameSequence]:
    """Open the named sequences below ``folder``: ``<name>/`` in any layout we read, or ``<name>.txt``.

    Raises:
        UserError: no such folder, or no such sequence in it.
    """
    if not folder.is_dir():
        raise UserError(f"Expected a folder of sequences, got '{folder}', which is not a folder.")
    return {name: _open(folder, name) for name in names}


def _open(folder: Path, name: str) -> FrameSequence:
    if is_sequence(folder) and folder.resolve().name == name:
        return open_folder(folder)
    if (folder / f"{name}.txt").is_file() and not (folder / name).is_dir():
        return BoxesOnly(folder, name)
    for place in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        if is_sequence(place / name):
            return open_folder(place / name)
    found = [path.stem for path in folder.iterdir()]
    raise UserError(
        f"There is no sequence '{name}' in '{folder}'{nearest(name, found)}; it was expected as '{folder / name}'."
    )
