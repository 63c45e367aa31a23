"""A folder's image files as one camera's frames: listing them in order, finding the partner of each by its number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nestfuse_core.cameras.times import in_order
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import SUFFIXES, list_images

DIGITS = re.compile(r"\d+")
SHOWN = 5  # file names spelled out in a message


def list_frames(folder: Path) -> list[Path]:
    """Return the image files of a folder in the order of their times, where names are times, or numbers (2 before 10).

    Raises:
        UserError: no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise UserError(f"Expected a folder of images, but there is no folder '{folder}'.")
    found = list_images(folder)
    if not found:
        raise UserError(f"Expected images ({', '.join(SUFFIXES)}) in '{folder}', found none.")
    return in_order(found, key=lambda path: (_numbers(path), path.name))


def _numbers(path: Path) -> tuple[int, ...]:
    return tuple(int(digits) for digits in DIGITS.findall(path.stem))


def frame_numbers(files: Sequence[Path]) -> list[tuple[int, ...]]:
    """Return what numbers each frame: the numbers in its name without those that all names share (a camera's id)."""
    numbers = [_numbers(path) for path in files]
    if len({len(row) for row in numbers}) != 1 or len(numbers) == 1:
        return numbers
    varying = [column for column in range(len(numbers[0])) if len({row[column] for row in numbers}) > 1]
    return [tuple(row[column] for column in varying) for row in numbers]


def check_partners(rgb: list[Path], ir: list[Path], otherwise: str = "") -> list[str]:
    """Check that the files of both cameras belong together one to one; return notes for the user.

    Equal numbers of files are partners in order, as in the public benchmarks, whatever their numbering; different
    ones are refused.

    Args:
        rgb, ir: the files in order.
        otherwise: what else the user may do about different numbers, for the end of the message.

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
        raise UserError(
            f"{counts}, numbered differently, so partners cannot be told; give both the same frames{otherwise}."
        )
    parts = []
    if without_ir:
        parts.append(f"no thermal frame for {_names(without_ir)}")
    if without_rgb:
        parts.append(f"no visible frame for {_names(without_rgb)}")
    raise UserError(
        f"{counts}: {' and '.join(parts)}; add the missing files, or move those without a partner away{otherwise}."
    )


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
