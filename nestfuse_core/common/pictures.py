"""Image files: read with their bit depth, written whole, listed in natural order."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.files import replacing

Image = NDArray[Any]

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".ppm", ".jp2")
QUALITY = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 95],
}
DEEP_SUFFIXES = (".png", ".tif", ".tiff", ".pgm", ".ppm", ".jp2")
"""Formats that hold 16 bits a channel."""


def read_image(path: str | os.PathLike[str]) -> Image:
    """Read an image file: HxW or HxWx3 BGR; uint8, uint16 or float32 as stored; alpha dropped, EXIF rotation applied.

    Raises:
        UserError: the file is missing, empty or not an image that OpenCV can read.
    """
    file = Path(path)
    if not file.is_file():
        raise UserError(f"No image at '{file}'; check the path.")
    # Decoding from memory instead of cv2.imread keeps non-ASCII paths working on Windows.
    data = np.fromfile(file, np.uint8)
    try:
        # ANYCOLOR without UNCHANGED: grey stays grey, an alpha channel goes, and phones' rotation tags are obeyed.
        image = cv2.imdecode(data, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR) if data.size else None
    except cv2.error:
        image = None
    if image is None:
        raise UserError(f"The file '{file}' is not an image OpenCV can read, or is damaged; convert it to PNG or TIFF.")
    if image.dtype == np.float64:
        image = image.astype(np.float32)
    if image.dtype not in (np.uint8, np.uint16, np.float32):
        raise UserError(f"The image '{file}' has {image.dtype} pixels; expected 8 or 16 bits unsigned, or float.")
    return image


def write_image(path: str | os.PathLike[str], image: Image) -> None:
    """Write HxW or HxWx3 BGR, uint8 or uint16, whole or not at all; JPEG and WebP at quality 95.

    Raises:
        UserError: the format is unknown or cannot hold 16 bits.
    """
    file = Path(path)
    check_writable(file, image.dtype == np.uint16)
    done, data = cv2.imencode(file.suffix, np.ascontiguousarray(image), QUALITY.get(file.suffix.lower(), []))
    if not done:
        raise UserError(
            f"OpenCV could not write a {image.shape[1]}x{image.shape[0]} image as '{file.suffix}'; use .png."
        )
    with replacing(file) as temporary:
        data.tofile(temporary)


def check_writable(path: Path, deep: bool = False) -> None:
    """Raise UserError unless ``path`` names an image format we write, one with 16 bits if ``deep``."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"Cannot write an image as '{path.name}'; expected one of {', '.join(SUFFIXES)}"
            f"{suggestion(suffix, SUFFIXES)}"
        )
    if deep and suffix not in DEEP_SUFFIXES:
        raise UserError(f"'{path.name}' cannot hold the visible image's 16 bits; write .png or .tif instead.")


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sort key with numbers by value: frame2 before frame10."""
    return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in re.split(r"(\d+)", name) if part]


def list_images(folder: Path) -> list[Path]:
    """Return the image files of a folder (hidden ones aside) in natural order; may be empty."""
    files = [f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith(".") and f.is_file()]
    return sorted(files, key=lambda file: natural_key(file.name))
