"""Annotated still images: COCO files and CSV tables, as a source of crops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.names import safe_name
from nestfuse_core.common.pictures import read_bgr
from nestfuse_core.common.reading import read_table
from nestfuse_core.common.sections import read_json
from rgbt_tracker.box_files import check_not_mot, check_pixels
from rgbt_tracker.boxes import Box
from rgbt_tracker.training.data.cutting import CropWriter, usable


@dataclass(frozen=True)
class Still:
    """One object in one image.

    Attributes:
        path: the image; relative paths are relative to the folder of images.
        box: x, y, w, h in pixels, 0-based.
        object: class name, "" where unknown.
        name: unique name of the object, used as its sequence.
    """

    path: Path
    box: Box
    object: str
    name: str


def read_stills(path: Path) -> list[Still]:
    """Read ``.json`` (COCO) or ``.csv`` (path,x,y,w,h and optionally object; with or without a heading).

    Raises:
        UserError: another suffix, content that is not what the suffix says, or boxes that are not in pixels.
    """
    if not path.is_file():
        raise UserError(f"Expected an annotation file at {path}, found none.")
    readers = {".json": _coco, ".csv": _table}
    if path.suffix.lower() not in readers:
        raise UserError(f"Expected annotations as COCO .json or as .csv with path,x,y,w,h, got '{path.name}'.")
    stills = list(readers[path.suffix.lower()](path))
    if stills:
        check_pixels(np.array([still.box for still in stills]), path)
    return stills


def _coco(path: Path) -> Iterator[Still]:
    data = read_json(path)
    try:
        files = {image["id"]: Path(image["file_name"]) for image in data["images"]}
        classes = {item["id"]: item["name"] for item in data.get("categories", [])}
        objects = data["annotations"]
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"Expected a COCO file with images and annotations at {path}: {error!r}.") from error
    for number, item in enumerate(objects):
        where = f"{path}, annotation {number}"
        if not isinstance(item, dict) or item.get("image_id") not in files:
            raise UserError(f"{where}: expected an image_id that occurs among the images.")
        if item.get("iscrowd"):
            continue
        file = files[item["image_id"]]
        name = safe_name(f"{file.with_suffix('').as_posix()}-{item.get('id', number)}")
        yield Still(file, _box(item.get("bbox"), where), str(classes.get(item.get("category_id"), "")), name)


def _table(path: Path) -> Iterator[Still]:
    rows = read_table(path, replace=True)
    if (numbers := _all_numbers([row for row in rows if row])) is not None:
        check_not_mot(numbers, path, "path,x,y,w,h")
    for number, row in enumerate(rows, start=1):
        if not row or (number == 1 and row[0].strip().lower() in ("path", "file", "image")):
            continue
        if len(row) < 5:
            raise UserError(f"{path}, line {number}: expected path,x,y,w,h, got '{','.join(row)}'.")
        file = Path(row[0].strip())
        name = safe_name(f"{file.with_suffix('').as_posix()}-{number}")
        kind = row[5].strip() if len(row) > 5 else ""
        yield Still(file, _box(row[1:5], f"{path}, line {number}"), kind, name)


def _all_numbers(rows: list[list[str]]) -> NDArray[np.float64] | None:
    """(N, K) where a table holds nothing but numbers, as many in every row; else None."""
    try:
        return np.array(rows, np.float64) if rows else None
    except ValueError:
        return None


def _box(values: Any, where: str) -> Box:
    try:
        x, y, w, h = (float(value) for value in values)
    except (TypeError, ValueError):
        raise UserError(f"{where}: expected a box of four numbers x, y, w, h, got '{values}'.") from None
    return x, y, w, h


def still_crops(still: Still, folders: dict[str, Path], writer: CropWriter, **facts: Any) -> int:
    """Cut one object out of its image or images; returns the number of crops written.

    Args:
        folders: "rgb" and/or "ir" -> folder that ``still.path`` is relative to. Both images of a pair have the same
            geometry, hence one box for both.

    Raises:
        UserError: an image is missing or a pair differs in size.
    """
    if writer.has(still.name, 0, folders):
        return 0
    images = {modality: read_bgr(folder / still.path) for modality, folder in folders.items()}
    sizes = {image.shape[:2] for image in images.values()}
    if len(sizes) > 1:
        text = " and ".join(f"{width}x{height}" for height, width in sorted(sizes))
        raise UserError(f"Expected both images of '{still.path}' to have one size, got {text}; align them first.")
    height, width = next(iter(sizes))
    if not usable(still.box, width, height):
        return 0
    facts = {"object": still.object, **facts}
    return len(writer.add(still.name, 0, images, still.box, kind="still", **facts))
