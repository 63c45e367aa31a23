"""One line about a track, and one about a run that stopped."""

from __future__ import annotations

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import load_config
from rgbt_tracker.output.log import Log, frame_row
from rgbt_tracker.output.summary import stopped_line, summarise
from rgbt_tracker.results.write import FrameRow
from rgbt_tracker.sequences import Frame
from rgbt_tracker.tracking.interface import Result
from rgbt_tracker.tracking.run import Step

SETTINGS = load_config("nestfuse_nanotrack").replace(**{"tracking.lost_below": 0.3})
PICTURE = np.zeros((4, 4, 3), np.uint8)
BOXES = [(0, 0, 10, 10), (0, 0, 10, 10), (5, 0, 10, 10), (0, 0, 1, 1)]


def log(start: int = 0) -> Log:
    made = Log(("rgb", "ir"), start)
    told = zip(BOXES, [1, 0.9, 0.2, 0.1], [1, 0.1, 0.1, 0.2], strict=True)
    for index, (box, score, seconds) in enumerate(told, start):
        result = Result(tuple(map(float, box)), score, cameras=("rgb",))
        made.add(Step(Frame(index, PICTURE, None), result, seconds, given=index == start))
    return made


def test_summary() -> None:
    truth = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [np.nan] * 4])
    text = summarise(log(), truth, SETTINGS, "street", 2.0)
    assert text == (
        "street: 4 frames in 2.0 s, 2.0 frames/s (tracker alone 7.5); "
        f"mean overlap with the ground truth {(1 + 1 + 1 / 3) / 3:.3f}; score below 0.3 in 2 frames"
    )
    assert "overlap" not in summarise(log(), None, SETTINGS, "street", 2.0)


def test_the_summary_is_about_the_frames_that_were_tracked() -> None:
    truth = np.array([[50, 50, 9, 9]] * 3 + [[0, 0, 10, 10]] * 2 + [[5, 0, 10, 10]] + [[0, 0, 1, 1]] + [[9, 9, 9, 9]])
    text = summarise(log(start=3), truth, SETTINGS, "street", 2.0, told=3)
    assert text.startswith("street: 1 frames after 3 of an earlier run in 2.0 s, 0.5 frames/s")
    assert "ground truth 1.000" in text


def test_a_log_has_a_row_a_frame_of_the_sequence() -> None:
    track = log(start=3).track()
    assert len(track) == 7 and np.isnan(track.boxes[:3]).all() and np.isnan(track.scores[:3]).all()
    np.testing.assert_array_equal(track.boxes[3:], BOXES)
    assert [row.frame for row in log(start=3).rows] == [3, 4, 5, 6] and log(start=3).end == 7


@pytest.mark.parametrize(
    ("frame", "result", "expected"),
    [
        (Frame(4, PICTURE, PICTURE), None, FrameRow(4, None, 4, 4, ("rgb", "ir"))),
        (Frame(4, PICTURE, PICTURE, 0.5, 8, 2), None, FrameRow(4, 0.5, 8, 2, ("rgb", "ir"))),
        (Frame(4, PICTURE, None, 0.5, 8, None), None, FrameRow(4, 0.5, 8, None, ("rgb",))),
        (Frame(4, PICTURE, None), Result((1, 2, 3, 4), 0.5), FrameRow(4, None, 4, None, ())),
        (Frame(4, PICTURE, PICTURE), Result((1, 2, 3, 4), 0.5, cameras=("ir",)), FrameRow(4, None, 4, 4, ("ir",))),
    ],
)
def test_where_a_frame_comes_from(frame: Frame, result: Result | None, expected: FrameRow) -> None:
    assert frame_row(frame, result, ("rgb", "ir")) == expected


def test_a_given_box_uses_no_camera_that_the_tracker_does_not() -> None:
    assert frame_row(Frame(0, PICTURE, PICTURE), None, ("ir",)).cameras == ("ir",)


def test_where_a_run_stopped() -> None:
    line = stopped_line(12, 90, KeyboardInterrupt(), 12)
    assert line == "stopped after 12 of 90 frames: you ended it; the same command with --resume goes on at frame 12"
    assert stopped_line(12, None, UserError("No frame."), None) == "stopped after 12 frames: No frame"
    assert "MemoryError" in stopped_line(12, 90, MemoryError(), 3)
