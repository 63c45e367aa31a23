"""A frame with what the tracker made of it: cameras side by side, fused, boxes, score, speed, fusion weights."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.cameras.names import CAMERAS
from rgbt_tracker.boxes import Box, overlap
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.sequences.base import Frame
from rgbt_tracker.sequences.watched import WORDS
from rgbt_tracker.target_colours import colour_of
from rgbt_tracker.tracking.cameras import CameraFrames, Image

if TYPE_CHECKING:
    from nestfuse_core.fusion.fuser import VideoFuser

Picture = NDArray[np.uint8]
# Two colours that stay apart for the colour-blind and on thermal grey; BGR.
TRACKED, TRUTH, LOST = (0, 176, 255), (255, 255, 0), (120, 120, 255)
MORE, LESS = (0, 140, 255), (255, 80, 0)
TEXT, BAR = (235, 235, 235), (28, 28, 28)
DARK = 16
FONT = cv2.FONT_HERSHEY_SIMPLEX
PANEL = (320, 960)  # smallest and largest width of a camera's picture
BAR_HEIGHT = 34
WINDOW = 30  # frames over which the shown speed is averaged


@dataclass(frozen=True)
class Caption:
    """What is written: frame ``index`` of ``length``, the score of the one target (None with several), the tracker's
    seconds (0 where the box was given) and the cameras it used (empty where it does not tell)."""

    index: int
    length: int | None
    score: float | None
    seconds: float
    cameras: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """A box that a tracker answered, x, y, w, h; of several targets with the number of its target."""

    box: Box
    lost: bool = False
    number: int | None = None

    @property
    def colour(self) -> tuple[int, int, int]:
        """BGR."""
        return TRACKED if self.number is None else colour_of(self.number)


class Overlay:
    """Draws frames of one sequence.

    Args:
        config: the tracker's; its modality decides which cameras are shown, its homography how the thermal one is laid
            on the visible one, so that a box is right in both pictures.
        truth: (N, 4) ground truth, or None.
        fuse: makes the fused picture of a third pane from a thermal and a visible one; None leaves the pane out.
    """

    def __init__(
        self, config: TrackerConfig, truth: NDArray[np.float64] | None = None, fuse: VideoFuser | None = None
    ) -> None:
        self._frames = CameraFrames(config)
        self._last: dict[str, Image] = {}
        self._panel_size: tuple[int, int] | None = None
        self._truth, self._fuse = truth, fuse
        self._seconds: deque[float] = deque(maxlen=WINDOW)
        self._strongest = 0.02

    def pictures(self, frame: Frame) -> dict[str, Picture]:
        """The cameras' pictures as the tracker sees them: HxWx3 uint8 BGR, of one size; dark where there is none."""
        given = {camera: picture for camera in ("rgb", "ir") if (picture := frame.picture(camera)) is not None}
        self._last |= given
        # In place of a picture that is missing its last one, so that everything keeps its size and place; before there
        # was any, one as large as the other camera's.
        other = next(iter(given.values()), np.zeros((1, 1), np.uint8))
        stand_in = np.zeros(other.shape[:2], np.uint8)
        shown = self._frames(self._last.get("rgb", stand_in), self._last.get("ir", stand_in))
        return {
            camera: picture if camera in given else np.full_like(picture, DARK) for camera, picture in shown.items()
        }

    def __call__(
        self,
        frame: Frame,
        marks: Sequence[Mark],
        caption: Caption,
        maps: dict[str, NDArray[np.float32]] | None = None,
        search: Box | None = None,
    ) -> Picture:
        """Return the picture, HxWx3 uint8 BGR, of the same size for every frame of a sequence."""
        if caption.seconds > 0:
            self._seconds.append(caption.seconds)
        truth = self._truth_at(frame.index)
        panels = []
        pictures = self.pictures(frame)
        for number, (camera, image) in enumerate(pictures.items()):
            there = frame.picture(camera) is not None
            if maps and search and there:
                weights = share(maps, number)
                # Attention shares lie close to one half: stretch to the strongest seen so far, steady over frames.
                self._strongest = max(self._strongest, float(np.abs(weights - 0.5).max()))
                image = tint(image, weights, search, 0.5 / self._strongest)
            fault = frame.faults.get(camera)
            title = CAMERAS[camera] if there else f"{CAMERAS[camera]}: {WORDS[fault] if fault else 'no picture'}"
            if there and caption.cameras and camera not in caption.cameras:
                title += ": not used"
            panels.append(self._panel(image, title, marks, truth))
        if self._fuse is not None:
            panels.append(self._panel(*self._fused(frame, pictures), marks, truth))
        picture = np.hstack(panels)
        return np.vstack([picture, self._bar(picture.shape[1], marks, truth, caption)])

    def _fused(self, frame: Frame, pictures: dict[str, Picture]) -> tuple[Picture, str]:
        """The pane of the fused picture and its title; of one camera while the other has no picture."""
        assert self._fuse is not None
        there = [camera for camera in pictures if frame.picture(camera) is not None]
        if len(there) < len(pictures) or len(there) < 2:
            alone = there[0] if there else next(iter(pictures))
            return pictures[alone], f"fused: {CAMERAS[alone]} alone"
        return np.asarray(self._fuse(pictures["ir"], pictures["rgb"]).image, np.uint8), "fused"

    def _truth_at(self, index: int) -> Box | None:
        if self._truth is None or index >= len(self._truth) or np.isnan(self._truth[index]).any():
            return None
        x, y, w, h = (float(value) for value in self._truth[index])
        return x, y, w, h

    def _panel(self, image: Picture, title: str, marks: Sequence[Mark], truth: Box | None) -> Picture:
        height, width = image.shape[:2]
        if self._panel_size is None:
            scale = float(np.clip(width, *PANEL)) / width
            self._panel_size = round(width * scale / 2) * 2, round(height * scale / 2) * 2
        size = self._panel_size
        scale = size[0] / width
        panel: Picture = image.copy() if size == (width, height) else np.asarray(cv2.resize(image, size), np.uint8)
        if truth is not None:
            draw_box(panel, truth, scale, TRUTH, 1)
        for mark in marks:
            draw_box(panel, mark.box, scale, LOST if mark.lost else mark.colour, 2)
            if mark.number is not None:
                tag(panel, str(mark.number), (round(mark.box[0] * scale), round(mark.box[1] * scale) - 4), mark.colour)
        write(panel, title, (8, 18), 0.5)
        return panel

    def _bar(self, width: int, marks: Sequence[Mark], truth: Box | None, caption: Caption) -> Picture:
        of = f"/{caption.length}" if caption.length else ""
        speed = f"{len(self._seconds) / max(sum(self._seconds), 1e-9):.1f} frames/s" if self._seconds else ""
        known = f"overlap {float(overlap(marks[0].box, truth)):.2f}" if truth is not None and marks else ""
        parts = [
            f"{caption.index + 1}{of}",
            _score(marks, caption),
            speed,
            known,
        ]
        bar = np.full((BAR_HEIGHT, width, 3), BAR, np.uint8)
        texts = [(part, TEXT) for part in parts if part]
        if truth is not None:
            texts += [("tracked", TRACKED), ("ground truth", TRUTH)]
        size = 0.5 if width >= 600 else 0.36
        left = 10
        for text, colour in texts:
            cv2.putText(bar, text, (left, 22), FONT, size, colour, 1, cv2.LINE_AA)
            left += cv2.getTextSize(text, FONT, size, 1)[0][0] + round(36 * size)
        return bar


def draw_box(image: Picture, box: Box, scale: float, colour: tuple[int, int, int], width: int) -> None:
    """Draw a rectangle around x, y, w, h (times ``scale``): outside its pixels, so that small targets stay visible.

    A dark rim outside the line sets it off from any ground.
    """
    x, y, w, h = (value * scale for value in box)
    left, top, right, bottom = round(x), round(y), round(x + w) - 1, round(y + h) - 1
    for distance in range(1, width + 1):
        _frame(image, left - distance, top - distance, right + distance, bottom + distance, colour)
    away = width + 1
    _frame(image, left - away, top - away, right + away, bottom + away, BAR)


def _frame(image: Picture, left: int, top: int, right: int, bottom: int, colour: tuple[int, int, int]) -> None:
    cv2.rectangle(image, (left, top), (right, bottom), colour, 1)


def _score(marks: Sequence[Mark], caption: Caption) -> str:
    """The one target's score, or how many targets there are and which are lost."""
    lost = [mark for mark in marks if mark.lost]
    if caption.score is not None:
        return f"score {caption.score:.2f}{' LOST' if lost else ''}"
    told = f", LOST {' '.join(str(mark.number) for mark in lost)}" if lost else ""
    return f"{len(marks)} target{'' if len(marks) == 1 else 's'}{told}"


def write(image: Picture, text: str, place: tuple[int, int], size: float) -> None:
    """Write light text with a dark rim."""
    cv2.putText(image, text, place, FONT, size, BAR, 3, cv2.LINE_AA)
    cv2.putText(image, text, place, FONT, size, TEXT, 1, cv2.LINE_AA)


def tag(image: Picture, text: str, place: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Write dark text on a ground of ``colour`` whose lower left corner is at ``place``, or at the picture's border."""
    width, height = cv2.getTextSize(text, FONT, 0.45, 1)[0]
    left, low = max(place[0], 0), max(place[1], height + 6)
    cv2.rectangle(image, (left, low - height - 6), (left + width + 6, low), colour, -1)
    cv2.putText(image, text, (left + 3, low - 3), FONT, 0.45, BAR, 1, cv2.LINE_AA)


def share(maps: dict[str, NDArray[np.float32]], number: int) -> NDArray[np.float32]:
    """Mean over the levels of modality ``number``'s share: level -> (K, h, w) becomes (h, w) of the finest level."""
    size = max((level.shape[:0:-1] for level in maps.values()), key=lambda pair: pair[0] * pair[1])
    levels = [cv2.resize(np.asarray(level[number], np.float32), size) for level in maps.values()]
    return np.mean(levels, axis=0, dtype=np.float32)


def tint(image: Picture, weights: NDArray[np.float32], search: Box, gain: float = 1.0) -> Picture:
    """Colour the search square by a modality's share of the fused features.

    Orange where it counts more than one half, blue where less, unchanged at one half; ``gain`` stretches the
    distance from one half.
    """
    x, y, w, h = (round(value) for value in search)
    height, width = image.shape[:2]
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
    if right <= left or bottom <= top:
        return image
    whole = cv2.resize((np.asarray(weights, np.float32) - 0.5) * 2 * gain, (w, h))
    away = np.clip(whole[top - y : bottom - y, left - x : right - x, None], -1, 1)
    colours = np.where(away > 0, np.array(MORE, np.float32), np.array(LESS, np.float32))
    strength = 0.6 * np.abs(away)
    result = image.copy()
    result[top:bottom, left:right] = image[top:bottom, left:right] * (1 - strength) + colours * strength
    return result
