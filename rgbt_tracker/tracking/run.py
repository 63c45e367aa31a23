"""One pass of a tracker over a sequence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import Box
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.sequences.base import Frame, FrameSequence
from rgbt_tracker.tracking.interface import Result, SingleObjectTracker

if TYPE_CHECKING:
    from rgbt_tracker.target_files import Targets
    from rgbt_tracker.tracking.multi import MultiTracker


@dataclass(frozen=True)
class Step:
    """One frame of a pass.

    Attributes:
        frame: as it was read.
        result: the tracker's; of a frame whose box was given to it, that box with score 1.
        seconds: in the tracker.
        given: whether the box was given: in the first frame, and where the tracker was put back on its target.
    """

    frame: Frame
    result: Result
    seconds: float
    given: bool = False


@dataclass(frozen=True)
class SeveralStep:
    """One frame of a pass with several targets.

    Attributes:
        frame: as it was read.
        results: number of a target -> the tracker's, of those that are followed by now, in ascending order; of one
            whose box was given to it in this frame, that box with score 1.
        seconds: in the tracker, for all of them.
        given: numbers of the targets whose box was given.
    """

    frame: Frame
    results: dict[int, Result]
    seconds: float
    given: frozenset[int]

    def step(self, number: int) -> Step:
        """One target's part, with an equal share of the time."""
        return Step(self.frame, self.results[number], self.seconds / len(self.results), number in self.given)


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
    for step in begin(tracker, sequence, start):
        boxes.append(step.result.box)
        scores.append(step.result.score)
        seconds.append(step.seconds)
        if on_frame is not None:
            on_frame(step.frame, None if step.given else step.result)
    return Trajectory.of_boxes(np.asarray(boxes, np.float64).reshape(-1, 4), scores, seconds)


def begin(
    tracker: SingleObjectTracker,
    frames: Iterable[Frame],
    box: ArrayLike,
    relocations: Mapping[int, Box] | None = None,
) -> Iterator[Step]:
    """Start ``tracker`` with ``box`` on the first of ``frames`` and `go_on` with the others."""
    remaining = iter(frames)
    for frame in remaining:
        clock = time.perf_counter()
        tracker.initialize(frame.rgb, frame.ir, box)
        yield Step(frame, as_given(box), time.perf_counter() - clock, given=True)
        break
    yield from go_on(tracker, remaining, relocations)


def go_on(
    tracker: SingleObjectTracker, frames: Iterable[Frame], relocations: Mapping[int, Box] | None = None
) -> Iterator[Step]:
    """Follow the target through further frames.

    Args:
        tracker: started; with ``relocations`` one that has ``relocate``.
        relocations: frame -> x, y, w, h of the target in it, from which the tracker goes on.
    """
    boxes = relocations or {}
    for frame in frames:
        box = boxes.get(frame.index)
        clock = time.perf_counter()
        if box is None:
            result = tracker.update(frame.rgb, frame.ir)
        else:
            tracker.relocate(box)  # type: ignore[attr-defined]
            result = as_given(box)
        yield Step(frame, result, time.perf_counter() - clock, given=box is not None)


def as_given(box: ArrayLike) -> Result:
    """The result of a frame whose box the user gave."""
    x, y, w, h = (float(value) for value in np.asarray(box, np.float64).ravel())
    return Result((x, y, w, h), 1.0)


def follow_all(tracker: MultiTracker, frames: Iterable[Frame], targets: Targets) -> Iterator[SeveralStep]:
    """Follow several targets, each from the first frame that it has a box in; in its others it is put back."""
    for frame in frames:
        due = {number: boxes[frame.index] for number, boxes in targets.items() if frame.index in boxes}
        clock = time.perf_counter()
        back = [number for number in due if number in tracker.targets]
        results = tracker.update(frame.rgb, frame.ir, without=back)
        for number, box in due.items():
            if number in back:
                tracker.relocate(number, box)
            else:
                tracker.add(frame.rgb, frame.ir, box, number)
            results[number] = as_given(box)
        yield SeveralStep(frame, dict(sorted(results.items())), time.perf_counter() - clock, frozenset(due))
