"""Folders of photographs, and the objects that are segmented in them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import read_grey
from rgbt_tracker.training.augmentation.copy_paste_objects import ROOMY, Scene, SegmentedObject

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


def list_photos(folder: Path, least: int = 0) -> list[Path]:
    """The photographs that lie in ``folder`` itself, sorted.

    Raises:
        UserError: fewer than ``least``.
    """
    photos = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
    if len(photos) < least:
        raise UserError(
            f"Expected at least {least} photographs ({', '.join(SUFFIXES)}) in '{folder}', found {len(photos)}."
        )
    return photos


def list_objects(photos: list[Path], masks: Path) -> list[SegmentedObject]:
    """Those photographs whose mask in the folder ``masks`` shows an object.

    Raises:
        UserError: fewer than two objects, or a mask that cannot be read.
    """
    found = []
    for photo in photos:
        path = masks / f"{photo.stem}.png"
        if not path.is_file():
            continue
        mask = read_grey(path, "mask", "delete it and run 'rgbt data masks' again")
        x, y, w, h = cv2.boundingRect((mask > 127).astype(np.uint8))
        if w and h:
            roomy = w < ROOMY * mask.shape[1] and h < ROOMY * mask.shape[0]
            found.append(SegmentedObject(photo, path, (x, y, w, h), roomy))
    if len(found) < 2:
        raise UserError(
            f"Expected masks of two or more objects in '{masks}', found {len(found)}; see 'rgbt data masks'."
        )
    return found


def list_scenes(folder: Path) -> list[Scene]:
    """The pairs of ``folder/visible`` and ``folder/infrared``, by name.

    Raises:
        UserError: none, or a visible picture without its thermal one.
    """
    scenes = [Scene(path, folder / "infrared" / path.name) for path in list_photos(folder / "visible", 1)]
    for scene in scenes:
        if scene.thermal is None or not scene.thermal.is_file():
            raise UserError(f"Expected a thermal picture '{scene.thermal}' for '{scene.visible}', found none.")
    return scenes
