"""The sequences that results belong to: opened with their images, or as boxes alone where there are none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.groundtruth import Files, Size, image_size, stated_sizes
from rgbt_tracker.sequences.annotations import annotate, annotate_from, read_annotation
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.sequences.folders import is_sequence, open_folder


class BoxesOnly(FrameSequence):
    """A sequence whose ground truth is known and whose images are not.

    Args:
        files: where its annotation lies.
        size: (width, height) of the images; None for the extent of the boxes.
        length: number of frames; at least as many as are annotated.
    """

    cameras = ()

    def __init__(self, files: Files, size: Size | None = None, length: int = 0) -> None:
        annotated = max(len(read_annotation(path)) for path in files.paths.values())
        info = SequenceInfo(files.name, max(length, annotated), source=str(files.paths["groundtruth"]))
        if files.folder:
            annotate(info, files.folder)
        else:
            annotate_from(info, files.paths)
        super().__init__(info)
        self.size = size or extent(annotated_boxes(info))

    def frame(self, index: int) -> Frame:
        return Frame(index, None, None)


def open_sequences(
    root: Path, found: Mapping[str, Files], lengths: Mapping[str, int], rig: str | None = None
) -> dict[str, FrameSequence]:
    """Open the sequences that trajectories belong to, in any layout we read, or their annotation alone.

    Args:
        root: folder they lie in.
        found: those there are (`rgbt_tracker.evaluation.groundtruth.find_sequences`).
        lengths: those to open, and how many frames each has at least; where there are no images, it has no more than
            are annotated or than that.
        rig: file of the rig that all were recorded with; None for the one beside each.

    Raises:
        UserError: a sequence that cannot be read, or that has no ground truth.
    """
    chosen = {name: found[name] for name in sorted(lengths)}
    stated = stated_sizes(root)
    opened = {name: _open(files, image_size(files, stated), lengths[name], rig) for name, files in chosen.items()}
    for name, sequence in opened.items():
        if sequence.groundtruth is None:
            raise UserError(f"The sequence '{name}' has no ground truth, which the report compares with.")
    return opened


def _open(files: Files, size: Size | None, length: int, rig: str | None) -> FrameSequence:
    if files.folder and is_sequence(files.folder):
        return open_folder(files.folder, rig)
    return BoxesOnly(files, size, length)


def annotated_boxes(info: SequenceInfo) -> NDArray[np.float64]:
    """Return what boxes are looked at with: (1, N, 4), or (2, N, 4) where a benchmark annotates both cameras."""
    truths = [info.groundtruths[camera] for camera in ("rgb", "ir") if camera in info.groundtruths]
    return np.asarray(truths if len(truths) == 2 else [info.groundtruth], dtype=np.float64)


def extent(truths: NDArray[np.float64]) -> Size:
    """The (width, height) that holds all boxes (..., 4); at least 16 pixels."""
    edge = np.nanmax((truths[..., :2] + truths[..., 2:]).reshape(-1, 2), axis=0, initial=16)
    return int(np.ceil(edge[0])), int(np.ceil(edge[1]))
