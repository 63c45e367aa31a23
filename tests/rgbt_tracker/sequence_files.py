"""Tiny sequences on disk in every layout the readers know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = (32, 24)
LAYOUTS = ("vot", "rgbt234", "gtot", "lasher", "vtuav")


def picture(index: int, camera: str, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """A flat HxWx3 image whose grey value tells the frame and the camera."""
    return np.full((size[1], size[0], 3), 10 * (index % 12) + (132 if camera == "ir" else 8), np.uint8)


def which(image: NDArray[Any]) -> int:
    """The frame number (modulo 12) that `picture` put in."""
    return round((float(np.mean(image)) % 124 - 8) / 10)


def write_frames(folder: Path, pattern: str, numbers: list[int], camera: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / (pattern % number) for number in numbers]
    for index, path in enumerate(files):
        assert cv2.imwrite(str(path), picture(index, camera))
    return files


def lines(boxes: NDArray[np.float64], separator: str, notation: str = "size", end: str = "\n") -> str:
    rows = []
    for x, y, w, h in boxes:
        row = {
            "size": [x, y, w, h],
            "corners": [x, y, x + w, y + h],
            "polygon": [x, y, x + w, y, x + w, y + h, x, y + h],
        }[notation]
        rows.append(separator.join(repr(float(value)) for value in row))
    return end.join(rows) + end


def write_sequence(folder: Path, layout: str, boxes: NDArray[np.float64], start: int = 1) -> Path:
    """Write as many frames as boxes (VTUAV: ten for each box) and the ground truth of one layout."""
    count = len(boxes)
    if layout == "vot":
        numbers = list(range(start, start + count))
        write_frames(folder / "color", "%05dv.png", numbers, "rgb")
        write_frames(folder / "ir", "%05di.png", numbers, "ir")
        facts = (
            f"name={folder.name}\nfps=20\nlength={count}\nchannels.color=color/%05dv.png\nchannels.ir=ir/%05di.png\n"
        )
        (folder / "sequence").write_text(facts)
        (folder / "groundtruth.txt").write_text(lines(boxes, ",", "polygon"))
        (folder / "occlusion.tag").write_text("\n".join(str(index % 2) for index in range(count)))
    elif layout == "rgbt234":
        numbers = list(range(start, start + count))
        write_frames(folder / "visible", "%05dv.png", numbers, "rgb")
        write_frames(folder / "infrared", "%05di.png", numbers, "ir")
        for name in ("visible.txt", "infrared.txt", "init.txt"):
            (folder / name).write_text(lines(boxes, ",", end="\r\n"))
    elif layout == "gtot":
        numbers = list(range(start, start + count))
        write_frames(folder / "v", "%05dv.png", numbers, "rgb")
        write_frames(folder / "i", "%05di.png", numbers, "ir")
        for name in ("groundTruth_v.txt", "groundTruth_i.txt"):
            (folder / name).write_text(lines(boxes, " ", "corners"))
        (folder / "init.txt").write_text(lines(boxes, "\t"))
    elif layout == "lasher":
        numbers = list(range(start, start + count))
        write_frames(folder / "visible", "v%06d.png", numbers, "rgb")
        write_frames(folder / "infrared", "i%06d.png", numbers, "ir")
        for name in ("visible.txt", "infrared.txt"):
            (folder / name).write_text(lines(boxes, ", "))
    elif layout == "vtuav":
        numbers = list(range(start, start + 10 * count))
        write_frames(folder / "rgb", "%06d.png", numbers, "rgb")
        write_frames(folder / "ir", "%06d.png", numbers, "ir")
        for name in ("rgb.txt", "ir.txt"):
            (folder / name).write_text(lines(boxes, " "))
    return folder
