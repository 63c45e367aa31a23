"""Cutting crop sets: target-centred windows of frames in the geometry of docs/reference/crop-sets.md."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import write_text
from nestfuse_core.common.pictures import write_image
from rgbt_tracker.config import ThermalConfig
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.tracking.cameras import ThermalFrames
from rgbt_tracker.training.data.crop_set import INDEX, MODALITIES, CropEntry, CropSet
from rgbt_tracker.training.geometry import CROP, context_scale
from rgbt_tracker.training.views import Image

QUALITY = 85
SMALLEST, ASPECT, OUTSIDE = 6.0, 8.0, 0.2  # limits on a box: side in pixels, ratio of sides, share outside the frame


def cut(image: NDArray[Any], box: ArrayLike, size: int = CROP) -> Image:
    """Cut a square window around a box.

    The centre of the box comes to lie on the centre of pixel ((size - 1) / 2, (size - 1) / 2), and the exemplar window
    of the target becomes 127 x 127 pixels. Outside the frame: its mean colour. When shrinking by more than 1.5, a
    Gaussian of sigma 0.45 / k comes first.

    Args:
        image: HxW or HxWx3 uint8.
        box: x, y, w, h in frame pixels (edges; pixel i covers [i, i + 1)).

    Returns:
        size x size (x 3) uint8.
    """
    x, y, w, h = np.asarray(box, np.float64)
    scale, half = context_scale((w, h)), (size - 1) / 2
    middle = np.array([x + w / 2 - 0.5, y + h / 2 - 0.5])
    mean = cv2.mean(image)
    left, top = 0, 0
    if 1 / scale > 1.5:
        # Only what the window sees has to be blurred, with room for the Gaussian.
        reach = half / scale + 4 * 0.45 / scale + 2
        left, top = (int(max(np.floor(value), 0)) for value in middle - reach)
        right, bottom = (int(np.ceil(value)) + 1 for value in middle + reach)
        image = cv2.GaussianBlur(np.ascontiguousarray(image[top:bottom, left:right]), (0, 0), 0.45 / scale)
    shift = half - scale * (middle - (left, top))
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    crop = cv2.warpAffine(image, matrix, (size, size), borderMode=cv2.BORDER_CONSTANT, borderValue=mean)
    return np.asarray(crop, np.uint8)


def crop_box(box: ArrayLike, size: int = CROP) -> tuple[float, float, float, float]:
    """The box in the pixels of its crop: centred, scaled by k, two decimals."""
    extent = np.asarray(box, np.float64)[2:]
    w, h = extent * context_scale(extent)
    middle = size / 2
    return (round(middle - w / 2, 2), round(middle - h / 2, 2), round(w, 2), round(h, 2))


def usable(box: ArrayLike, width: int, height: int) -> bool:
    """Whether a box is worth a crop: finite, sides >= 6 px, aspect <= 8, at most 20 % outside the frame."""
    x, y, w, h = np.asarray(box, np.float64)
    if not np.isfinite([x, y, w, h]).all() or min(w, h) < SMALLEST or max(w, h) > ASPECT * min(w, h):
        return False
    inside_x, inside_y = min(x + w, width) - max(x, 0), min(y + h, height) - max(y, 0)
    return bool(inside_x > 0 and inside_y > 0 and inside_x * inside_y >= (1 - OUTSIDE) * w * h)


class CropWriter:
    """A crop set that grows; what is there already is kept, so that a stopped run goes on where it was.

    Use as a context manager: ``index.json`` is written at the end, also after an interruption, and every now and then.
    """

    EVERY = 400  # crops between two writings of the index

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.entries: dict[str, CropEntry] = {}
        if (self.folder / INDEX).is_file():
            kept = CropSet(self.folder).entries
            self.entries = {entry.file: entry for entry in kept if (self.folder / entry.file).is_file()}
        self._unsaved = 0

    def __enter__(self) -> CropWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self.entries:
            self.save()

    def file(self, sequence: str, modality: str, frame: int) -> str:
        """Path of a crop inside the set."""
        return f"{modality}/{sequence}/{frame:05d}.jpg"

    def has(self, sequence: str, frame: int, modalities: Iterable[str]) -> bool:
        """Whether all these crops of an instant are there already."""
        return all(self.file(sequence, modality, frame) in self.entries for modality in modalities)

    def add(
        self, sequence: str, frame: int, images: Mapping[str, NDArray[Any]], box: ArrayLike, **facts: Any
    ) -> list[CropEntry]:
        """Cut and write the crops of one instant of one target, the same geometry for every modality.

        Args:
            frame: 1-based frame number, 0 for stills.
            images: "rgb" and/or "ir" -> uint8 image; all of one size.
            facts: source, licence, kind, object of the entries.
        """
        written = []
        for modality, image in images.items():
            name = self.file(sequence, modality, frame)
            grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if modality == "ir" and image.ndim == 3 else image
            write_image(self.folder / name, cut(grey, box), QUALITY)
            place = tuple(round(float(value), 2) for value in np.asarray(box))
            entry = CropEntry(sequence, modality, frame, name, crop_box(box), source_box=place, **facts)
            self.entries[name] = entry
            written.append(entry)
        self._unsaved += len(written)
        if self._unsaved >= self.EVERY:
            self.save()
        return written

    def save(self) -> None:
        """Write ``index.json``, sorted by sequence, frame and modality."""
        order = sorted(self.entries.values(), key=lambda e: (e.sequence, e.frame, MODALITIES.index(e.modality)))
        rows = ",\n".join(json.dumps(entry.row(), separators=(",", ":")) for entry in order)
        write_text(self.folder / INDEX, f"[{rows}]\n")
        self._unsaved = 0


def spread(boxes: ArrayLike, width: int, height: int, most: int) -> list[int]:
    """Indices of at most ``most`` usable boxes, evenly spread."""
    good = [index for index, box in enumerate(np.asarray(boxes, np.float64)) if usable(box, width, height)]
    places = np.linspace(0, len(good) - 1, min(most, len(good)))
    return [good[round(float(place))] for place in places]


def sequence_crops(sequence: FrameSequence, writer: CropWriter, most: int = 86, **facts: Any) -> int:
    """Cut the target of an annotated sequence in evenly spread frames; returns the number of crops written.

    Raises:
        UserError: the sequence has no ground truth.
    """
    boxes = sequence.groundtruth
    if boxes is None:
        raise UserError(f"Expected ground truth with '{sequence.name}', found none; crops need a box in every frame.")
    first = sequence.frame(0)
    image = first.rgb if first.rgb is not None else first.ir
    assert image is not None
    modalities = [name for name in MODALITIES if first.picture(name) is not None]
    thermal, count = ThermalFrames(ThermalConfig()), 0
    size = (image.shape[1], image.shape[0])
    if first.ir is not None:
        thermal(first.ir, size)  # fixes the range of 16-bit frames
    for index in spread(boxes, *size, most):
        if writer.has(sequence.name, index + 1, modalities):
            continue
        frame = sequence.frame(index)
        images = {} if frame.rgb is None else {"rgb": frame.rgb}
        if frame.ir is not None:
            images["ir"] = thermal(frame.ir, size)
        count += len(writer.add(sequence.name, index + 1, images, boxes[index], kind="video", **facts))
    return count
