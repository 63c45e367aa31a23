"""Ground truth of a sequence folder, whatever its dataset: which file, which notation, which frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.reading import read_text
from rgbt_tracker.box_files import absent_as_nan, read_boxes
from rgbt_tracker.sequences.base import SequenceInfo

Array = NDArray[np.float64]
# In order of preference: RGBT210, RGBT234 and LasHeR start trackers from init.txt, GTOT's init.txt repeats its
# groundTruth_v.txt, VTUAV has rgb.txt.
START = "init.txt"
OWN = ("groundtruth.txt", "groundtruth_rect.txt", START)
BY_CAMERA = {
    "rgb": ("visible.txt", "groundtruth_v.txt", "rgb.txt"),
    "ir": ("infrared.txt", "groundtruth_i.txt", "ir.txt"),
}
CORNERS = ("groundtruth_v.txt", "groundtruth_i.txt")  # GTOT
VTUAV_STEP = 10


def annotate(info: SequenceInfo, folder: Path) -> None:
    """Fill in ground truth, start box, tags and notes from the text files of ``folder``; ``info.length`` is known.

    Raises:
        UserError: a file that cannot be parsed; the message names the line.
    """
    annotate_from(info, annotation_files(folder))
    info.tags.update(read_tags(folder, info.length or 0))


def annotate_from(info: SequenceInfo, files: dict[str, Path]) -> None:
    """Fill in ground truth, start box and notes from "groundtruth", "rgb" and "ir" -> file; as `annotate`."""
    info.files = files
    for camera in BY_CAMERA:
        if camera in info.files and (boxes := _spread(info, info.files[camera])) is not None:
            info.groundtruths[camera] = boxes
    if "groundtruth" in info.files:
        info.groundtruth = _spread(info, info.files["groundtruth"])
        # An init.txt of one line is only a start; the tracks are in the cameras' own files then.
        if info.groundtruth is None and info.groundtruths:
            info.groundtruth = next(iter(info.groundtruths.values()))


def annotation_files(folder: Path) -> dict[str, Path]:
    """The annotation files of a sequence's folder: "groundtruth", "rgb", "ir" -> file, as far as they are there."""
    present = {path.name.lower(): path for path in folder.iterdir() if path.suffix.lower() == ".txt"}
    chosen = {camera: _first(present, names) for camera, names in BY_CAMERA.items()}
    own = _first(present, OWN) or chosen["rgb"] or chosen["ir"]
    return {key: path for key, path in {"groundtruth": own, **chosen}.items() if path}


def read_annotation(path: Path) -> Array:
    """Boxes of an annotation file as its authors wrote them: (N, 4) x, y, w, h (`read_boxes`)."""
    return read_boxes(path, "corners" if path.name.lower() in CORNERS else "size")


def read_tags(folder: Path, length: int) -> dict[str, NDArray[np.bool_]]:
    """Attribute -> (length,) bool per frame, from the ``.tag`` and ``.label`` files of a sequence's folder."""
    tags = {}
    for path in sorted([*folder.glob("*.tag"), *folder.glob("*.label")]):
        lines = read_text(path, replace=True).split()
        flags = np.zeros(length, dtype=bool)
        count = min(len(lines), length)
        flags[:count] = [line == "1" for line in lines[:count]]
        tags[path.stem] = flags
    return tags


def _first(present: dict[str, Path], names: tuple[str, ...]) -> Path | None:
    return next((present[name] for name in names if name in present), None)


def _spread(info: SequenceInfo, path: Path) -> Array | None:
    """Boxes of the file laid on the frames: (length, 4); None when it holds the first box alone."""
    assert info.length is not None
    boxes, length = absent_as_nan(read_annotation(path)), info.length
    if len(boxes) == 1 and length > 1:
        if np.isfinite(boxes[0]).all():
            x, y, w, h = (float(value) for value in boxes[0])
            info.init = info.init or (x, y, w, h)
        if path.name.lower() != START:
            info.notes.append(f"'{path.name}' has one box for {length} frames: it starts a tracker, no more.")
        return None
    if not np.isfinite(boxes).all(1).any():
        info.notes.append(f"'{path.name}' has no box in any of its {len(boxes)} lines; it counts as absent.")
        return None
    step = VTUAV_STEP if len(boxes) == -(-length // VTUAV_STEP) and length > VTUAV_STEP else 1
    places = np.arange(len(boxes)) * step
    inside = places < length
    laid = np.full((length, 4), np.nan)
    laid[places[inside]] = boxes[inside]
    if step == 1 and len(boxes) != length:
        rest = "the rest is not used" if len(boxes) > length else "the frames after them count as not annotated"
        info.notes.append(f"'{path.name}' has {len(boxes)} boxes for {length} frames; {rest}.")
    if step > 1 or len(boxes) < length:
        labelled = np.zeros(length, dtype=bool)
        labelled[places[inside]] = True
        info.labelled = labelled if info.labelled is None else info.labelled | labelled
    return laid
