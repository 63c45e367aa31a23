"""Image files as frames: listing them in order, finding the partner of each, reading them strictly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from nestfuse_core.common.errors import UserError
from rgbt_tracker.sequences.base import Image

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"})
DIGITS = re.compile(r"\d+")
CAMERAS = {"rgb": "visible", "ir": "thermal"}
SHOWN = 5  # file names spelled out in a message


def list_images(folder: Path) -> list[Path]:
    """Return the image files of a folder in the order of their numbers (2 before 10).

    Raises:
        UserError: no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise UserError(f"Expected a folder of images, but there is no folder '{folder}'.")
    found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    if not found:
        kinds = ", ".join(sorted(SUFFIXES))
        raise UserError(f"Expected images ({kinds}) in '{folder}', found none.")
    return sorted(found, key=lambda path: (_numbers(path), path.name))


def _numbers(path: Path) -> tuple[int, ...]:
    return tuple(int(digits) for digits in DIGITS.findall(path.stem))


def frame_numbers(files: Sequence[Path]) -> list[tuple[int, ...]]:
    """Return what numbers each frame: the numbers in its name without those that all names share (a camera's id)."""
    numbers = [_numbers(path) for path in files]
    if len({len(row) for row in numbers}) != 1 or len(numbers) == 1:
        return numbers
    varying = [column for column in range(len(numbers[0])) if len({row[column] for row in numbers}) > 1]
    return [tuple(row[column] for column in varying) for row in numbers]


def pair(rgb: list[Path], ir: list[Path]) -> list[str]:
    """Check that the files of both cameras belong together one to one; return notes for the user.

    Equal numbers of files are partners in order, as in the public benchmarks, whatever their numbering; different
    ones are refused.

    Raises:
        UserError: one camera has frames that the other lacks; the message names them.
    """
    numbers_rgb, numbers_ir = frame_numbers(rgb), frame_numbers(ir)
    if len(rgb) == len(ir):
        return _notes(numbers_rgb, numbers_ir)
    without_ir = [path for path, number in zip(rgb, numbers_rgb, strict=True) if number not in set(numbers_ir)]
    without_rgb = [path for path, number in zip(ir, numbers_ir, strict=True) if number not in set(numbers_rgb)]
    counts = f"'{rgb[0].parent}' has {len(rgb)} visible frames and '{ir[0].parent}' {len(ir)} thermal ones"
    if len(without_ir) == len(rgb) or len(without_rgb) == len(ir):
        raise UserError(f"{counts}, numbered differently, so partners cannot be told; give both the same frames.")
    parts = []
    if without_ir:
        parts.append(f"no thermal frame for {_names(without_ir)}")
    if without_rgb:
        parts.append(f"no visible frame for {_names(without_rgb)}")
    raise UserError(f"{counts}: {' and '.join(parts)}; add the missing files, or move those without a partner away.")


def _names(files: Sequence[Path]) -> str:
    shown = ", ".join(path.name for path in files[:SHOWN])
    return f"{len(files)} ({shown}{', ...' if len(files) > SHOWN else ''})"


def _notes(rgb: list[tuple[int, ...]], ir: list[tuple[int, ...]]) -> list[str]:
    if rgb == ir:
        return []
    shifts = {tuple(np.subtract(a, b)) if len(a) == len(b) else None for a, b in zip(rgb, ir, strict=True)}
    if len(shifts) == 1:
        return []
    return ["The cameras' frames are numbered differently; they were paired in order, first with first."]


def read_image(path: Path, camera: str) -> Image:
    """Read one frame.

    Args:
        path: image file.
        camera: "rgb" (result HxWx3 uint8 BGR; grey files are repeated over the channels) or "ir" (result HxW or
            HxWx3 BGR, uint8, uint16 or float32, as stored).

    Raises:
        UserError: missing, unreadable, cut off, or with channels or a depth that the camera cannot have.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read the {CAMERAS[camera]} frame '{path}': {error.strerror}.") from error
    image = None if not data or _is_cut_off(data) else _decode(data)
    if image is None:
        raise UserError(
            f"Cannot read the {CAMERAS[camera]} frame '{path}': it is not an image or is cut off; restore the file, or "
            "move it and its partner away."
        )
    return check_image(image, camera, str(path))


def _decode(data: bytes) -> Image | None:
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None


def _is_cut_off(data: bytes) -> bool:
    """OpenCV fills the missing part of a truncated JPEG or PNG with grey and says nothing; look for its end mark."""
    if data.startswith(b"\xff\xd8"):
        return data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data[-64:]
    return False


def check_image(image: Image, camera: str, source: str) -> Image:
    """Return the image in the form ``read_image`` promises.

    Raises:
        UserError: wrong channel count or depth.
    """
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels == 4 and image.dtype == np.uint8 and bool((image[..., 3] == 255).all()):
        image, channels = np.ascontiguousarray(image[..., :3]), 3
    if channels not in (1, 3):
        raise UserError(
            f"Expected 1 or 3 channels in the {CAMERAS[camera]} frame '{source}', got {channels}; save visible and "
            "thermal images as separate files, without transparency."
        )
    depths = (np.uint8,) if camera == "rgb" else (np.uint8, np.uint16, np.float32)
    if image.dtype not in depths:
        expected = " or ".join(np.dtype(depth).name for depth in depths)
        raise UserError(f"Expected {expected} in the {CAMERAS[camera]} frame '{source}', got {image.dtype}.")
    if channels == 1:
        image = image.reshape(image.shape[:2])
    return np.repeat(image[..., None], 3, axis=2) if camera == "rgb" and channels == 1 else image
