"""One pass of a tracker over a sequence."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.frames import Frame, FrameSequence
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.tracking.interface import Result, SingleObjectTracker


def first_box(sequence: FrameSequence) -> NDArray[np.float64]:
    """The ground truth's first box. Raises UserError when there is none."""
    if sequence.groundtruth is None or not len(sequence.groundtruth):
        raise UserError(f"'{sequence.name}' has no ground truth to start from; give --init x,y,w,h.")
    return np.asarray(sequence.groundtruth[0], np.float64)


def track_sequence(
    tracker: SingleObjectTracker,
    sequence: FrameSequence,
    box: ArrayLike | None = None,
    on_frame: Callable[[Frame, Result | None], None] | None = None,
) -> Trajectory:
    """Start ``tracker`` on the first frame and follow the target to the last one.

    Args:
        tracker: ours, or any other that answers in the same way.
        sequence: iterated once; wrap it to read ahead.
        box: x, y, w, h in the first frame; the ground truth's by default.
        on_frame: called after every frame with the frame and its result (None for the first).

    Returns:
        The box, the score (1 in the first frame) and the seconds in the tracker of every frame.
    """
    start = first_box(sequence) if box is None else np.asarray(box, np.float64)
    boxes, scores, seconds = [], [], []
    for frame in sequence:
        result = None
        clock = time.perf_counter()
        if frame.index == 0:
            tracker.initialize(frame.rgb, frame.ir, start)
        else:
            result = tracker.update(frame.rgb, frame.ir)
        seconds.append(time.perf_counter() - clock)
        boxes.append(start if result is None else result.box)
        scores.append(1.0 if result is None else result.score)
        if on_frame is not None:
            on_frame(frame, result)
    return Trajectory.of_boxes(np.asarray(boxes, np.float64).reshape(-1, 4), scores, seconds)
