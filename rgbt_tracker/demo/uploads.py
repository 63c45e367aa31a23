"""Files that a browser sends: what they are is read from their first bytes, never from their names."""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from PIL import Image

from nestfuse_core.cameras.names import CAMERAS
from nestfuse_core.cameras.times import name_times
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import natural_key

IMAGES = {
    b"\x89PNG\r\n\x1a\n": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"BM": ".bmp",
    b"II*\x00": ".tif",
    b"MM\x00*": ".tif",
}
KINDS = "PNG, JPEG, BMP or TIFF images, or one MP4, MOV, AVI, MKV or WebM video"


class Upload(Protocol):
    """What the web framework gives: a file and the name its sender chose."""

    filename: str | None
    file: BinaryIO


@dataclass(frozen=True)
class Limits:
    """What an upload may be.

    Attributes:
        megabytes: of one request, both cameras together.
        pixels: of one image.
    """

    megabytes: int = 200
    pixels: int = 4096 * 4096


def suffix_of(head: bytes) -> str | None:
    """Return the file suffix that belongs to the first bytes of a file; None for what is neither image nor video."""
    for start, suffix in IMAGES.items():
        if head.startswith(start):
            return suffix
    if head[4:8] == b"ftyp":
        return ".mov" if head[8:12] == b"qt  " else ".mp4"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return ".avi"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return ".mkv"
    return None


def save_camera(files: Sequence[Upload], folder: Path, camera: str, limits: Limits) -> Path:
    """Write the files of one camera into ``folder`` under names of our own.

    Images keep the order of their numbers, or the times that their names are.

    Returns:
        The video, or the folder ``camera`` with the images.

    Raises:
        UserError: something that is neither images nor one video, or an image that is too large.
    """
    words = CAMERAS[camera]
    if not files:
        raise UserError(f"Expected {KINDS} for the {words} camera, got no file.")
    suffixes = [_suffix(upload, words) for upload in files]
    videos = [suffix for suffix in suffixes if suffix not in IMAGES.values()]
    if videos and len(files) > 1:
        raise UserError(f"Expected {KINDS} for the {words} camera, got {len(files)} files with a video among them.")
    if videos:
        return _write(files[0], folder / f"{camera}{videos[0]}")
    place = folder / camera
    for name, (upload, suffix) in zip(_names(files), zip(files, suffixes, strict=True), strict=True):
        check_size(_write(upload, place / f"{name}{suffix}"), words, limits)
    return place


def _names(files: Sequence[Upload]) -> list[str]:
    """New names: the times that the senders' names are, else places in their natural order."""
    sent = [upload.filename or "" for upload in files]
    times = name_times([Path(re.split(r"[/\\]", name)[-1]).stem for name in sent])
    if times is not None:
        return [f"{time:.9f}" for time in times]
    order = sorted(range(len(sent)), key=lambda place: natural_key(sent[place]))
    numbers = {place: number for number, place in enumerate(order, 1)}
    return [f"{numbers[place]:06d}" for place in range(len(sent))]


def _suffix(upload: Upload, words: str) -> str:
    head = upload.file.read(32)
    upload.file.seek(0)
    suffix = suffix_of(head)
    if suffix is None:
        raise UserError(f"Expected {KINDS} for the {words} camera, got a file that is neither ('{shown(upload)}').")
    return suffix


def _write(upload: Upload, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as target:
        shutil.copyfileobj(upload.file, target)
    return path


def check_size(path: Path, words: str, limits: Limits) -> None:
    """Refuse an image by its header, before anything decodes it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UserError(f"One of the {words} images cannot be read or is far too large; nothing was kept.") from error
    if width * height > limits.pixels:
        raise UserError(
            f"Expected images of at most {limits.pixels / 1e6:.0f} million pixels, "
            f"one of the {words} images has {width}x{height}."
        )


def shown(upload: Upload) -> str:
    """Return the sender's name of a file for a message: its last part, printable, 60 characters at most."""
    name = re.split(r"[/\\]", upload.filename or "unnamed")[-1]
    return "".join(letter for letter in name if letter.isprintable())[:60]
