"""What a run has tracked so far, in the form its files have."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.results.write import FrameRow
from rgbt_tracker.sequences.base import Frame
from rgbt_tracker.tracking.interface import Result
from rgbt_tracker.tracking.run import Step

BITS = {"rgb": 1, "ir": 2}


class Log:
    """Boxes, scores, seconds and origins of the frames that were tracked, in order.

    Args:
        modalities: the cameras that the tracker's configuration uses.
        start: number of the first frame.
    """

    def __init__(self, modalities: Sequence[str], start: int = 0) -> None:
        self.start = start
        self.rows: list[FrameRow] = []
        self._modalities = modalities
        # Of numbers and not of objects: the whole of a long run is written every few seconds.
        self._boxes, self._scores, self._seconds, self._cameras = array("d"), array("d"), array("d"), bytearray()

    def add(self, step: Step) -> None:
        """Take note of a frame."""
        row = frame_row(step.frame, None if step.given else step.result, self._modalities)
        self._boxes.extend(step.result.box)
        self._scores.append(step.result.score)
        self._seconds.append(step.seconds)
        self._cameras.append(sum(BITS[camera] for camera in row.cameras))
        self.rows.append(row)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def end(self) -> int:
        """Number of the frame that comes next."""
        return self.start + len(self)

    @property
    def boxes(self) -> NDArray[np.float64]:
        """(N, 4) x, y, w, h of the tracked frames."""
        return np.array(self._boxes, np.float64).reshape(-1, 4)

    @property
    def scores(self) -> NDArray[np.float64]:
        """(N,) of the tracked frames, 1 where the box was given."""
        return np.array(self._scores, np.float64)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """(N,) in the tracker, of the tracked frames."""
        return np.array(self._seconds, np.float64)

    @property
    def cameras(self) -> NDArray[np.uint8]:
        """(N,) whose pictures were used in the tracked frames: the sum of their `BITS`."""
        return np.array(self._cameras, np.uint8)

    def track(self) -> Trajectory:
        """The track, a row a frame of the sequence: NaN before ``start``."""
        before = np.full(self.start, np.nan)
        boxes = np.vstack([np.full((self.start, 4), np.nan), self.boxes])
        return Trajectory.of_boxes(boxes, np.append(before, self.scores), np.append(before, self.seconds))


def frame_row(frame: Frame, result: Result | None, modalities: Sequence[str]) -> FrameRow:
    """Where a frame comes from and which cameras were used: the tracker's answer, or those there where it was told.

    Args:
        frame: as it was read; where its sources count no pictures of their own, its index stands for them.
        result: the tracker's, or None where the box was given.
        modalities: the cameras that the configuration uses.
    """
    there = {camera: frame.picture(camera) is not None for camera in ("rgb", "ir")}
    used = tuple(camera for camera in modalities if there[camera]) if result is None else result.cameras
    own = {"rgb": frame.rgb_index, "ir": frame.ir_index}
    rgb, ir = (frame.index if index is None and there[camera] else index for camera, index in own.items())
    return FrameRow(frame.index, frame.time, rgb, ir, used)
