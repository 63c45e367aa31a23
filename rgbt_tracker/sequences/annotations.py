"""Ground truth of a sequence folder, whatever its dataset: which file, which notation, which frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.sequences.base import SequenceInfo
from rgbt_tracker.sequences.rows import Notation, absent_as_nan, read_boxes

Array = NDArray[np.float64]
# In order of preference: RGBT210, RGBT234 and LasHeR start trackers from init.txt, GTOT's init.txt repeats its
# groundTruth_v.txt, VTUAV has rgb.txt.
OWN = ("groundtruth.txt", "groundtruth_rect.txt", "init.txt")
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
    present = {path.name.lower(): path for path in folder.iterdir() if path.suffix.lower() == ".txt"}
    chosen = {camera: _first(present, names) for camera, names in BY_CAMERA.items()}
    own = _first(present, OWN) or chosen["rgb"] or chosen["ir"]
    info.files = {key: path for key, path in {"groundtruth": own, **chosen}.items() if path}
    for camera, path in chosen.items():
        if path and (boxes := _spread(info, path)) is not None:
            info.groundtruths[camera] = boxes
    if own:
        info.groundtruth = _spread(info, own)
        # An init.txt of one line is only a start; the tracks are in the cameras' own files then.
        if info.groundtruth is None and info.groundtruths:
            info.groundtruth = next(iter(info.groundtruths.values()))
    _read_tags(info, folder)


def _first(present: dict[str, Path], names: tuple[str, ...]) -> Path | None:
    return next((present[name] for name in names if name in present), None)


def _spread(info: SequenceInfo, path: Path) -> Array | None:
    """Boxes of the file laid on the frames: (length, 4); None when it holds the first box alone."""
    assert info.length is not None
    notation: Notation = "corners" if path.name.lower() in CORNERS else "size"
    boxes, length = absent_as_nan(read_boxes(path, notation)), info.length
    if len(boxes) == 1 and length > 1:
        if np.isfinite(boxes[0]).all():
            x, y, w, h = (float(value) for value in boxes[0])
            info.init = info.init or (x, y, w, h)
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


def _read_tags(info: SequenceInfo, folder: Path) -> None:
    assert info.length is not None
    for path in sorted([*folder.glob("*.tag"), *folder.glob("*.label")]):
        lines = path.read_text(encoding="utf-8", errors="replace").split()
        flags = np.zeros(info.length, dtype=bool)
        count = min(len(lines), info.length)
        flags[:count] = [line == "1" for line in lines[:count]]
        info.tags[path.stem] = flags
