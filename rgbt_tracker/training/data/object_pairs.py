"""Tight crops of objects by two aligned cameras: ``rgb/NAME`` and ``ir/NAME`` with ``index.json``."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.data.crop_set import INDEX, read_rows
from rgbt_tracker.training.views import Image

SMALLEST = 20
"""Shorter side, px of the frame, under which an object shows too little."""
SHARPNESS = 0.45
"""Standard deviation of the Laplacian over that of the picture, 64 px long, which one of the views must reach."""


@dataclass(frozen=True)
class ObjectPair:
    """One object as two cameras saw it at once.

    Attributes:
        file: name of its pictures in ``rgb`` and ``ir``.
        object: its class.
        light: "day", "night" or "".
        split: "train", "val" or "".
        length: the longer side of its box in the frame, px.
    """

    file: str
    object: str
    light: str
    split: str
    length: float

    @property
    def group(self) -> tuple[str, str]:
        """Class and light."""
        return self.object, self.light


def is_object_folder(folder: Path) -> bool:
    """Whether ``folder`` holds pairs of objects, and not a crop set."""
    rows = read_rows(folder / INDEX, "objects") if (folder / INDEX).is_file() else []
    return bool(rows) and isinstance(rows[0], dict) and "sequence" not in rows[0]


def read_object_pairs(folder: Path) -> list[ObjectPair]:
    """Read the index: those of the training split (of any, where it names none) that are not too small.

    Raises:
        UserError: no index, a row without ``file``, ``object`` or ``source_size``, or nothing left.
    """
    path = folder / INDEX
    if not path.is_file():
        raise UserError(f"Expected {INDEX} with the pairs of objects in '{folder}', found none.")
    pairs = [_pair(row, f"{path}, row {number}") for number, row in enumerate(read_rows(path, "objects"))]
    wanted = [pair for pair in pairs if pair is not None and pair.split in ("", "train")]
    if len(wanted) < 2:
        raise UserError(f"Expected two or more training objects of {SMALLEST} px in '{folder}', found {len(wanted)}.")
    return wanted


def by_group(pairs: list[ObjectPair]) -> dict[tuple[str, str], list[ObjectPair]]:
    """The pairs of each class and light, in the order of the index."""
    groups: dict[tuple[str, str], list[ObjectPair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.group].append(pair)
    return dict(sorted(groups.items()))


def balanced(pairs: list[ObjectPair], most: int | None) -> list[ObjectPair]:
    """At most ``most`` pairs: as many of each class and light as there are, evenly over the index and in turn."""
    groups = sorted(by_group(pairs).values(), key=len)
    chosen: list[tuple[float, ObjectPair]] = []
    left = len(pairs) if most is None else most
    for number, group in enumerate(groups):
        count = min(len(group), left // (len(groups) - number))
        chosen += [(index / count, group[index * len(group) // count]) for index in range(count)]
        left -= count
    return [pair for _, pair in sorted(chosen, key=lambda item: item[0])]


def shows_object(visible: Image, thermal: Image) -> bool:
    """Whether one of the two views is sharp, and the visible one has no strip that its camera did not see."""
    dark = (visible if visible.ndim == 2 else visible.max(2)).max(0) < 12
    return float(dark.mean()) < 0.03 and max(_sharpness(visible), _sharpness(thermal)) >= SHARPNESS


def _sharpness(image: Image) -> float:
    single: Any = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    scale = 64 / max(single.shape)
    small = cv2.resize(single, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(small, cv2.CV_32F).std() / max(float(small.std()), 2.0))


def _pair(row: Any, where: str) -> ObjectPair | None:
    """One row; None where the object is too small."""
    missing = [key for key in ("file", "object", "source_size") if not isinstance(row, dict) or key not in row]
    if missing:
        raise UserError(f"{where}: expected the key '{missing[0]}', which is missing.")
    try:
        w, h = (float(side) for side in row["source_size"])
    except (TypeError, ValueError):
        raise UserError(f"{where}: expected source_size [w, h], got {row['source_size']}.") from None
    if min(w, h) < SMALLEST:
        return None
    return ObjectPair(row["file"], str(row["object"]), str(row.get("light", "")), str(row.get("split", "")), max(w, h))
