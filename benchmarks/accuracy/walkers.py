"""Real people for `reliability.py`: walkers in a surveillance video, seen by a second camera that is rendered.

The video shows people from a camera at rest, as OpenCV's sample vtest.avi does (Debian's package opencv-doc). What
differs from the median picture is people; in the rendered thermal picture they stand out from a flat background by a
heat drawn at random, from little to glaring. Their ways, the crowd and what hides them are real.

A walk's boxes are those on which trackers agree that start on the same person (ours and NanoTrack, with RGB alone and
with the paper's fusion): the mean of at least two that stay on what moves and, followed backwards from their last box,
come home to the first. Walks on which they do not agree are missing, so that every figure is kinder than the street.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.video import VideoReader
from rgbt_tracker import build_tracker
from rgbt_tracker.boxes import overlap
from rgbt_tracker.config import load_config
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.tracking.cameras import as_bgr
from rgbt_tracker.tracking.interface import SingleObjectTracker
from rgbt_tracker.tracking.run import track_sequence

Image = NDArray[np.uint8]
Box = tuple[int, int, int, int]
APART, MOST = 9, 6
"""Frames between two starts, and how many walkers are taken at each."""


class Walk(FrameSequence):
    """Frames of both cameras, one walker's boxes."""

    def __init__(self, name: str, rgb: list[Image], ir: list[Image], truth: NDArray[np.float64]) -> None:
        super().__init__(SequenceInfo(name, len(rgb), groundtruth=truth))
        self._rgb, self._ir = rgb, ir

    def frame(self, index: int) -> Frame:
        return Frame(index, self._rgb[index], self._ir[index])


class Backwards(Walk):
    """The same walk from its last frame to its first."""

    def __init__(self, walk: Walk, boxes: NDArray[np.float64]) -> None:
        super().__init__(walk.name, walk._rgb[::-1], walk._ir[::-1], boxes[::-1])


class Walkers:
    """All walks of ``length`` frames in a video, the pictures ``scale`` times as large (boxes are found at full size).

    Args:
        trackers: that must agree on a walk's boxes; `judges` by default.

    Raises:
        UserError: no such video, or none in which somebody walks.
    """

    def __init__(
        self, video: Path, length: int, scale: float = 1.0, trackers: Sequence[SingleObjectTracker] | None = None
    ) -> None:
        self._frames, self._length, self._scale = read_video(video), length, scale
        self._background = np.median(np.stack(self._frames[::8]), 0).astype(np.uint8)
        self._masks = [moving(frame, self._background) for frame in self._frames]
        self._starts = [
            (first, box)
            for first in range(0, len(self._frames) - length, APART)
            for box in people(self._masks[first])[:MOST]
        ]
        if not self._starts:
            raise UserError(
                f"Expected people who walk for {length} frames before a camera at rest, '{video}' has none."
            )
        self._judges = judges() if trackers is None else trackers

    def __len__(self) -> int:
        return len(self._starts)

    def sequence(self, number: int) -> Walk | None:
        """Walk ``number`` (0-based), its thermal camera drawn by it too; None where trackers do not agree on it."""
        first, box = self._starts[number]
        span = slice(first, first + self._length)
        frames, masks = self._frames[span], self._masks[span]
        clear = Walk("clear", frames, thermal(frames, masks, self._background, 70.0, 0), np.array([box], float))
        truth = agreed(self._judges, clear, masks)
        if truth is None:
            return None
        rng = np.random.default_rng(number)
        seen = thermal(frames, masks, self._background, rng.uniform(25, 90), number)
        return Walk(f"walk{number}", self._scaled(frames), self._scaled(seen), truth * self._scale)

    def _scaled(self, pictures: list[Image]) -> list[Image]:
        return [
            np.asarray(
                cv2.resize(picture, None, fx=self._scale, fy=self._scale, interpolation=cv2.INTER_AREA), np.uint8
            )
            for picture in pictures
        ]


def read_video(path: Path) -> list[Image]:
    """All frames, HxWx3 BGR. Raises UserError for a file that is no video."""
    with VideoReader(path) as reader:
        return [as_bgr(image, "rgb") for image in reader]


def moving(frame: Image, background: Image) -> Image:
    """(H, W) 1 where the frame differs from the background: people, without what is smaller."""
    difference = cv2.GaussianBlur(frame, (0, 0), 1.2).astype(np.float32) - cv2.GaussianBlur(background, (0, 0), 1.2)
    difference -= np.median(difference, (0, 1))  # the camera's exposure
    mask = (np.abs(difference).max(2) > 26).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((7, 5), np.uint8))
    _, labels, parts, _ = cv2.connectedComponentsWithStats(mask)
    kept = parts[:, cv2.CC_STAT_AREA] > 120
    kept[0] = False
    return kept[labels].astype(np.uint8)


def people(mask: Image) -> list[Box]:
    """x, y, w, h of what is as large, as upright and as solid as a person, not at the edge."""
    height, width = mask.shape
    _, _, parts, _ = cv2.connectedComponentsWithStats(mask)
    boxes = []
    for x, y, w, h, area in parts[1:].tolist():
        inside = min(x, y, width - x - w, height - y - h) > 10
        if inside and area > 250 and w >= 10 and 1.3 < h / w < 4 and area > 0.4 * w * h:
            boxes.append((x, y, w, h))
    return boxes


def thermal(frames: list[Image], masks: list[Image], background: Image, heat: float, seed: int) -> list[Image]:
    """What a thermal camera might see, (H, W): a flat background, bodies ``heat`` grey levels warmer, noise."""
    rng = np.random.default_rng((3, seed))
    grey: NDArray[np.float32] = cv2.cvtColor(background, cv2.COLOR_BGR2GRAY).astype(np.float32)
    grey = cv2.GaussianBlur(grey if rng.random() < 0.5 else 255 - grey, (0, 0), 1.5).astype(np.float32)
    level, contrast, noise = rng.uniform(50, 110), rng.uniform(0.15, 0.45), rng.uniform(1.5, 5)
    clothes = rng.choice([-1, 1]) * rng.uniform(0.1, 0.4)
    scene = level + (grey - grey.mean()) * contrast
    columns = rng.normal(0, 1.5, grey.shape[1])
    pictures = []
    for frame, mask in zip(frames, masks, strict=True):
        part = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.3)
        shade = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32), (0, 0), 1.2)
        picture = scene * (1 - part) + (level + heat + clothes * (shade - 110)) * part
        picture = cv2.GaussianBlur(picture, (0, 0), 0.7) + columns + rng.normal(0, noise, grey.shape)
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    return pictures


def judges() -> list[SingleObjectTracker]:
    """Those who find a walk's boxes: ours and NanoTrack, RGB alone and the paper's fusion."""
    trackers: list[SingleObjectTracker] = []
    for name in ("nestfuse_nanotrack", "nanotrack_v3"):
        config = load_config(name).replace(**{"model.fusion.strategy": "attention"})
        trackers += [build_tracker(config, modality="rgb"), build_tracker(config, modality="rgbt")]
    return trackers


def agreed(trackers: Sequence[SingleObjectTracker], walk: Walk, masks: list[Image]) -> NDArray[np.float64] | None:
    """(N, 4) boxes on which at least two of the trackers agree, or None."""
    tracks = [boxes for tracker in trackers if (boxes := faithful(tracker, walk, masks)) is not None]
    if len(tracks) < 2:
        return None
    alike = np.array([[overlap(one, other).mean() for other in tracks] for one in tracks])
    company = alike[alike.sum(1).argmax()] > 0.5
    return np.array(tracks)[company].mean(0) if company.sum() > 1 else None


def faithful(tracker: SingleObjectTracker, walk: Walk, masks: list[Image]) -> NDArray[np.float64] | None:
    """The track, if it stays on what moves and comes home when it is followed backwards."""
    boxes = track_sequence(tracker, walk).boxes
    back = track_sequence(tracker, Backwards(walk, boxes)).boxes
    on = np.mean([share(mask, box) > 0.2 for mask, box in zip(masks, boxes, strict=True)])
    return boxes if overlap(back[-1:], boxes[:1])[0] > 0.5 and on > 0.7 else None


def share(mask: Image, box: NDArray[np.float64]) -> float:
    """How much of a box moves."""
    x, y, w, h = (round(value) for value in box.tolist())
    part = mask[max(0, y) : y + h, max(0, x) : x + w]
    return float(part.mean()) if part.size else 0.0
