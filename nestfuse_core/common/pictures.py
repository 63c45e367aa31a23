"""Image files: read with their bit depth, written whole, listed in natural order."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common import tiff
from nestfuse_core.common.encoded import end_of_picture
from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.files import write_bytes
from nestfuse_core.common.reading import read_bytes

Image = NDArray[Any]

WRITTEN = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".ppm", ".jp2")
SUFFIXES = (*WRITTEN, ".pfm")
DEEP_SUFFIXES = (".png", ".tif", ".tiff", ".pgm", ".ppm", ".jp2")
"""Formats that hold 16 bits a channel."""
QUALITY = 95
QUALITY_FLAGS = {
    ".jpg": cv2.IMWRITE_JPEG_QUALITY,
    ".jpeg": cv2.IMWRITE_JPEG_QUALITY,
    ".webp": cv2.IMWRITE_WEBP_QUALITY,
}
# ANYCOLOR without UNCHANGED: grey stays grey, an alpha channel goes, and phones' rotation tags are obeyed.
AS_STORED = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR


def read_image(path: str | os.PathLike[str], what: str = "image", advice: str = "convert it to PNG or TIFF") -> Image:
    """Read an image file: HxW or HxWx3 BGR; uint8, uint16 or float32; alpha dropped, EXIF rotation applied.

    8 and 16 bits unsigned stay as stored; temperatures that are signed, wider or floating point become float32. Of a
    TIFF with several pages, the first one; what stands after the end of a picture is not looked at.

    Args:
        path: the file.
        what: it shows, for messages: "thermal frame".
        advice: what to do about a file that cannot be read, for the end of the message.

    Raises:
        UserError: the file is missing, empty, cut off or not an image that OpenCV or tifffile can read.
    """
    return as_read(_read(path, AS_STORED, what, advice))


def as_read(image: Image) -> Image:
    """Numbers of any type -> uint8 and uint16 as they are, all others as float32."""
    return image if image.dtype in (np.uint8, np.uint16) else image.astype(np.float32, copy=False)


def read_bgr(path: str | os.PathLike[str], what: str = "image", advice: str = "convert it to PNG or TIFF") -> Image:
    """Read an image file as HxWx3 BGR uint8, grey repeated over the channels; otherwise as `read_image`."""
    return _read(path, cv2.IMREAD_COLOR, what, advice)


def read_grey(path: str | os.PathLike[str], what: str = "image", advice: str = "convert it to PNG or TIFF") -> Image:
    """Read an image file as HxW uint8; a JPEG's own luminance where it has one; otherwise as `read_image`."""
    return _read(path, cv2.IMREAD_GRAYSCALE, what, advice)


def _read(path: str | os.PathLike[str], flags: int, what: str, advice: str) -> Image:
    """Read and decode: from memory, since OpenCV cannot open all paths on Windows and prints warnings of its own."""
    try:
        data = read_bytes(path)
    except OSError as error:
        raise UserError(f"Cannot read the {what} '{path}': {error.strerror}; check the path.") from error
    image = _decode(data, flags)
    if image is None:
        raise UserError(
            f"Cannot read the {what} '{path}': it is not an image that OpenCV can read, or is cut off; {advice}."
        )
    return image


def _decode(data: bytes, flags: int) -> Image | None:
    # OpenCV fills the missing part of a truncated JPEG or PNG with grey and says nothing.
    end, is_tiff = end_of_picture(data), tiff.is_tiff(data)
    known = end is not None and (not is_tiff or tiff.opencv_unpacks(data))
    image = decode_image(np.frombuffer(data, np.uint8, end), flags) if end and known else None
    # Of the depths of temperatures, OpenCV lacks 32 bits unsigned and half floats.
    return tiff.decode(data) if image is None and flags == AS_STORED and is_tiff else image


def decode_image(data: NDArray[np.uint8], flags: int = AS_STORED) -> Image | None:
    """Decode the bytes of an image file as OpenCV does, or return None where it cannot."""
    try:
        return cv2.imdecode(data, flags)
    except cv2.error:
        return None


def write_image(path: str | os.PathLike[str], image: Image, quality: int = QUALITY) -> None:
    """Write HxW or HxWx3 BGR, uint8 or uint16, whole or not at all; ``quality`` (0..100) is that of JPEG and WebP.

    Raises:
        UserError: the format is unknown or cannot hold 16 bits.
    """
    file = Path(path)
    check_image_name(file, image.dtype == np.uint16)
    data = encode_image(image, file.suffix, quality)
    write_bytes(file, data)


def encode_image(image: Image, suffix: str, quality: int = QUALITY, optimise: bool = False) -> bytes:
    """Return the image as the bytes of a file; ``optimise`` makes a JPEG smaller and takes longer.

    Args:
        image: HxW or HxWx3 BGR, uint8 or uint16.
        suffix: one of ``WRITTEN``.

    Raises:
        UserError: OpenCV cannot write such an image in this format.
    """
    flags = [QUALITY_FLAGS[suffix.lower()], quality] if suffix.lower() in QUALITY_FLAGS else []
    done, data = cv2.imencode(
        suffix, np.ascontiguousarray(image), [*flags, cv2.IMWRITE_JPEG_OPTIMIZE, 1] if optimise else flags
    )
    if not done:
        raise UserError(f"OpenCV could not write a {image.shape[1]}x{image.shape[0]} image as '{suffix}'; use .png.")
    return data.tobytes()


def check_image_name(path: Path, deep: bool = False) -> None:
    """Raise UserError unless ``path`` names an image format we write, one with 16 bits if ``deep``."""
    suffix = path.suffix.lower()
    if suffix not in WRITTEN:
        raise UserError(
            f"Cannot write an image as '{path.name}'; expected one of {', '.join(WRITTEN)}{suggestion(suffix, WRITTEN)}"
        )
    if deep and suffix not in DEEP_SUFFIXES:
        raise UserError(f"'{path.name}' cannot hold the image's 16 bits; write .png or .tif instead.")


def white_level(image: Image) -> float:
    """Value of white: 255 for uint8; for uint16 the full scale of the fewest bits (10, 12, 14, 16) that hold the image.

    Raises:
        UserError: floating-point pixels, whose white is unknown.
    """
    if image.dtype == np.uint8:
        return 255.0
    if image.dtype != np.uint16:
        raise UserError(f"The visible image has {image.dtype} pixels; expected 8 or 16 bits; convert it first.")
    largest = int(image.max())
    return float(next(2**bits - 1 for bits in (10, 12, 14, 16) if largest < 2**bits))


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sort key with numbers by value: frame2 before frame10."""
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", name) if part]


def list_images(folder: Path) -> list[Path]:
    """Return the image files of a folder (hidden ones aside) in natural order; may be empty."""
    files = [f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith(".") and f.is_file()]
    return sorted(files, key=lambda file: natural_key(file.name))
