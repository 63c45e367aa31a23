"""Several targets in one pass: the same boxes as trackers of their own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker import MultiTracker, Tracker, build_tracker
from rgbt_tracker.config import load_config
from rgbt_tracker.sequences.base import Frame
from rgbt_tracker.tracking.run import follow_all

LENGTH = 5
BOXES = {1: (60.0, 40.0, 30.0, 24.0), 2: (20.0, 70.0, 18.0, 26.0), 7: (110.0, 20.0, 24.0, 24.0)}


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Rough ground that moves, with the second thermal picture missing."""
    rng = np.random.default_rng(3)
    ground = cv2.resize(rng.integers(0, 256, (30, 40, 4)).astype(np.uint8), (200, 160), interpolation=cv2.INTER_CUBIC)
    parts = [ground[2 * index :, 3 * index :][:120, :160] for index in range(LENGTH)]
    return [
        Frame(index, np.ascontiguousarray(part[..., :3]), None if index == 1 else np.ascontiguousarray(part[..., 3]))
        for index, part in enumerate(parts)
    ]


@pytest.fixture(scope="module", params=["attention", "reliable"])
def built(request) -> Tracker:
    settings = load_config("nestfuse_nanotrack").replace(**{"model.fusion.strategy": request.param})
    return build_tracker(settings, device="cpu")


def test_boxes_are_those_of_trackers_of_their_own(built: Tracker, frames: list[Frame]) -> None:
    """Of targets from the first frame on, of one that appears later, and of one that is put back."""
    targets = {1: {0: BOXES[1], 3: (62.0, 41.0, 30.0, 24.0)}, 2: {0: BOXES[2]}, 7: {2: BOXES[7]}}
    steps = list(follow_all(MultiTracker(built.config, built.runtime), frames, targets))
    assert [sorted(step.results) for step in steps] == [[1, 2], [1, 2], [1, 2, 7], [1, 2, 7], [1, 2, 7]]
    assert [sorted(step.given) for step in steps] == [[1, 2], [], [7], [1], []]
    for number, boxes in targets.items():
        single, first = Tracker(built.config, built.runtime), min(boxes)
        for step, frame in zip(steps[first:], frames[first:], strict=True):
            own = step.results[number]
            if frame.index == first:
                single.initialize(frame.rgb, frame.ir, boxes[first])
            elif frame.index in boxes:
                single.relocate(boxes[frame.index])
            else:
                alone = single.update(frame.rgb, frame.ir)
                assert np.abs(np.subtract(own.box, alone.box)).max() < 0.01
                assert abs(own.score - alone.score) < 1e-3 and own.cameras == alone.cameras
                if alone.weights is not None:
                    assert own.weights == pytest.approx(alone.weights, abs=1e-3)
                continue
            assert own.box == boxes[frame.index] and own.score == 1


def test_targets_come_and_go(built: Tracker, frames: list[Frame]) -> None:
    tracker = MultiTracker(built.config, built.runtime)
    first = frames[0]
    assert tracker.update(first.rgb, first.ir) == {} and tracker.targets == ()
    assert [tracker.add(first.rgb, first.ir, box) for box in BOXES.values()] == [1, 2, 3]
    tracker.remove(2)
    assert tracker.add(first.rgb, first.ir, BOXES[2]) == 4, "a number is never used again"
    assert tracker.add(first.rgb, first.ir, BOXES[2], 2) == 2
    assert tuple(tracker.update(frames[2].rgb, frames[2].ir)) == tracker.targets == (1, 3, 4, 2)
    assert sorted(tracker.update(frames[2].rgb, frames[2].ir, without=[1, 3])) == [2, 4]


def test_what_is_wrong_is_said(built: Tracker, frames: list[Frame]) -> None:
    tracker, first = MultiTracker(built.config, built.runtime), frames[0]
    with pytest.raises(UserError, match="got None for both"):
        tracker.add(None, None, BOXES[1])
    with pytest.raises(UserError, match="outside the 160x120 image"):
        tracker.add(first.rgb, first.ir, (500, 10, 20, 20))
    tracker.add(first.rgb, first.ir, BOXES[1])
    with pytest.raises(UserError, match="no target has, got 1"):
        tracker.add(first.rgb, first.ir, BOXES[1], 1)
    with pytest.raises(UserError, match=r"number of a target \(1\), got 5"):
        tracker.remove(5)
