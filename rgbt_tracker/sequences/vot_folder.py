"""Any annotated sequence as a VOT directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import replacing, write_text
from nestfuse_core.common.pictures import write_image
from nestfuse_core.common.reading import read_text
from rgbt_tracker.sequences.base import FrameSequence

CHANNELS = {"rgb": ("color", "%08dv.jpg"), "ir": ("ir", "%08di.jpg")}


def write_vot(
    sequence: FrameSequence, output: str | os.PathLike[str], on_frame: Callable[[], None] | None = None
) -> Path:
    """Write ``output/NAME``: color/, ir/, groundtruth.txt, a .tag file per tag and ``sequence``; add NAME to list.txt.

    The directory appears when it is complete. Frames are JPEG, quality 95.

    Raises:
        UserError: the directory exists already, or the sequence has no ground truth.
    """
    target = Path(output) / sequence.name
    if target.exists():
        raise UserError(f"Expected {target} not to exist yet; remove it or choose another --output.")
    boxes = sequence.groundtruth
    if boxes is None:
        raise UserError(f"Expected ground truth with '{sequence.name}', found none.")
    with replacing(target) as folder:
        folder.mkdir()
        size = _write_frames(sequence, folder, on_frame)
        _write_facts(sequence, folder, boxes, size)
    _list(target)
    return target


def _write_frames(sequence: FrameSequence, folder: Path, on_frame: Callable[[], None] | None) -> tuple[int, int]:
    size = (0, 0)
    for frame in sequence:
        for camera, (place, pattern) in CHANNELS.items():
            image = frame.picture(camera)
            if image is None:
                continue
            write_image(folder / place / (pattern % (frame.index + 1)), image)
            size = (image.shape[1], image.shape[0])
        if on_frame:
            on_frame()
    return size


def _write_facts(sequence: FrameSequence, folder: Path, boxes: NDArray[np.float64], size: tuple[int, int]) -> None:
    lines = [f"name={sequence.name}", f"fps={sequence.fps:g}", "format=default"]
    lines += [f"width={size[0]}", f"height={size[1]}", f"length={len(sequence)}", "channel.default=color"]
    lines += [f"channels.{place}={place}/{name}" for place, name in CHANNELS.values() if (folder / place).is_dir()]
    write_text(folder / "sequence", "\n".join(lines) + "\n")
    rows = (",".join("nan" if np.isnan(v) else f"{v:.4f}".rstrip("0").rstrip(".") for v in box) for box in boxes)
    write_text(folder / "groundtruth.txt", "\n".join(rows) + "\n")
    for tag, flags in sequence.info.tags.items():
        write_text(folder / f"{tag}.tag", "".join(f"{int(flag)}\n" for flag in flags))


def _list(folder: Path) -> None:
    """Add the sequence to the list of its data set."""
    listing = folder.parent / "list.txt"
    names = read_text(listing, replace=True).split() if listing.is_file() else []
    if folder.name not in names:
        write_text(listing, "\n".join([*names, folder.name]) + "\n")
