"""A contact sheet of scenes, the visible pictures above the thermal ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import write_image
from rgbt_tracker.synthetic.drawn import draw_sequence
from rgbt_tracker.synthetic.noise import Picture

GREEN = (90, 230, 60)
GAP = 4
QUALITY = 80


def write_sheet(scenes: list[str], output: Path, seed: int = 0, columns: int = 4, width: int = 200) -> Path:
    """Draw ``columns`` evenly spread frames of every scene, ``width`` pixels wide, two scenes side by side.

    Raises:
        UserError: unknown scene, or not a .jpg or .png.
    """
    if output.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise UserError(f"Expected a .jpg or .png to write, got '{output.name}'.")
    strips = [_strip(name, seed, columns, width) for name in scenes]
    if len(strips) % 2 and len(strips) > 1:
        strips.append(np.full_like(strips[0], 255))
    across = 2 if len(strips) > 1 else 1
    rows = [np.hstack(strips[start : start + across]) for start in range(0, len(strips), across)]
    write_image(output, np.vstack(rows), QUALITY)
    return output


def _strip(name: str, seed: int, columns: int, width: int) -> Picture:
    """One scene: its name above a row of visible and a row of thermal pictures, with the target's box."""
    sequence = draw_sequence(name, seed=seed)
    assert sequence.groundtruth is not None
    height = round(width * 0.75)
    tiles = []
    for index in np.rint(np.linspace(0, len(sequence) - 1, 2 * columns + 1)[1::2]).astype(int):
        frame = sequence.frame(int(index))
        assert frame.rgb is not None and frame.ir is not None
        pair = [_tile(image, sequence.groundtruth[index], (width, height)) for image in (frame.rgb, frame.ir)]
        tiles.append(np.vstack(pair))
    strip = np.hstack(tiles)
    title = np.full((22, strip.shape[1], 3), 255, np.uint8)
    cv2.putText(title, name, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
    return cv2.copyMakeBorder(np.vstack([title, strip]), 0, GAP, GAP, GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def _tile(image: Picture, box: np.ndarray, size: tuple[int, int]) -> Picture:
    picture = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    scale = size[0] / picture.shape[1]
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    if np.isfinite(box).all():
        x, y, w, h = np.rint(box * scale).astype(int)
        cv2.rectangle(small, (x - 2, y - 2), (x + w + 1, y + h + 1), GREEN, 1)
    return small
