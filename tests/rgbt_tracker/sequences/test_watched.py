"""A pair that is watched: what is taken away, when, and what is said of it."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgbt_tracker import build_tracker, track_sequence
from rgbt_tracker.config import load_config
from rgbt_tracker.sequences.base import Derived, Frame, FrameSequence, SequenceInfo
from rgbt_tracker.sequences.watched import fault_lines, watch
from rgbt_tracker.synthetic import draw_sequence

LENGTH = 100


class Walk(FrameSequence):
    """Two noisy cameras before which a block walks; the thermal one lies in ``lies`` (frame -> kind)."""

    def __init__(self, lies: dict[int, str] | None = None, length: int | None = LENGTH) -> None:
        super().__init__(SequenceInfo("walk", length))
        self.lies = lies or {}
        self.read: list[int] = []

    def frame(self, index: int) -> Frame:
        self.read.append(index)
        held = min([at for at, kind in self.lies.items() if kind == "frozen"], default=0) - 1
        ir = self.picture(held if self.lies.get(index) == "frozen" else index, 2)
        if self.lies.get(index) == "black":
            ir = np.zeros_like(ir)
        return Frame(index, self.picture(index, 1), ir, index / 30, index, index)

    def __iter__(self):
        return map(self.frame, range(LENGTH))

    @staticmethod
    def picture(index: int, seed: int) -> np.ndarray:
        picture = np.random.default_rng((seed, index)).normal(90, 3, (96, 128))
        picture[30:70, index : index + 12] += 120
        return picture.clip(0, 255).astype(np.uint8)


FROZEN = Walk(dict.fromkeys(range(40, 70), "frozen"))


def test_a_lying_picture_is_taken_away_and_why_is_kept() -> None:
    frames = list(watch(Walk({**FROZEN.lies, 80: "black"})))
    gone = {frame.index: frame.faults for frame in frames if frame.ir is None}
    assert gone == {**{index: {"ir": "frozen"} for index in range(42, 70)}, 80: {"ir": "black"}}
    assert all(frame.rgb is not None and frame.ir_index == frame.index for frame in frames)
    assert all(frame.faults == {} for frame in frames if frame.ir is not None)


def test_the_summary_names_camera_fault_and_frames() -> None:
    watched = watch(Walk({**FROZEN.lies, 80: "black"}))
    list(watched)
    assert watched.summary() == [
        "thermal camera: 28 frames frozen (frames 42 to 69)",
        "thermal camera: 1 frame black (frame 80)",
    ]
    assert watch(Walk()).summary() == []


def test_what_the_source_says_comes_first() -> None:
    class Telling(Derived):
        def summary(self) -> list[str]:
            return ["one stream ended"]

    assert watch(Telling(Walk())).summary() == ["one stream ended"]


def test_both_are_taken_away_only_if_both_lie() -> None:
    class Dark(Derived):
        def frame(self, index: int) -> Frame:
            frame = self._source.frame(index)
            return dataclasses.replace(frame, rgb=np.zeros_like(frame.rgb)) if index == 50 else frame

    frames = [watched for watched in watch(Dark(Walk({50: "black"}))) if watched.rgb is None or watched.ir is None]
    assert [(frame.index, frame.faults) for frame in frames] == [(50, {"rgb": "black", "ir": "black"})]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, LENGTH - 1), min_size=1, max_size=6))
def test_frames_in_any_order_are_judged_as_in_their_own(order: list[int]) -> None:
    expected = {frame.index: frame.faults for frame in ALL}
    watched = watch(FROZEN)
    for index in order:
        assert watched.frame(index).faults == expected[index]


ALL = list(watch(FROZEN))


def test_a_frame_is_read_once_on_the_way() -> None:
    source = Walk()
    watched = watch(source)
    for index in (70, 71, 71, 70):
        watched.frame(index)
    assert source.read == [*range(10, 70), 70, 71, 71, 70]


def test_a_live_pair_is_watched_as_it_comes() -> None:
    live = Walk(FROZEN.lies, length=None)
    assert [frame.faults for frame in watch(live)] == [frame.faults for frame in ALL]


@given(st.sets(st.integers(0, 30), min_size=1, max_size=12))
def test_spans_hold_every_frame(frames: set[int]) -> None:
    (line,) = fault_lines({index: {"rgb": "torn"} for index in frames})
    assert line.startswith(f"visible camera: {len(frames)} frame")
    spans = line.partition("(")[2].removeprefix("frames ").removeprefix("frame ").rstrip(")")
    if "..." not in spans:
        ends = [[int(end) for end in span.split(" to ")] for span in spans.split(", ")]
        assert {number for first, *last in ends for number in range(first, (last or [first])[0] + 1)} == frames


@pytest.mark.parametrize("lie", ["black", "frozen"])
def test_a_tracker_goes_on_with_the_camera_that_is_left(lie: str) -> None:
    scene = draw_sequence("street", length=12, size=(160, 120), seed=3)

    class Lying(Derived):
        def frame(self, index: int) -> Frame:
            frame = self._source.frame(index)
            held = self._source.frame(4).ir
            other = held if lie == "frozen" else np.zeros_like(held)
            return dataclasses.replace(frame, ir=other) if 5 <= index < 10 else frame

    used = []
    tracker = build_tracker(load_config("nestfuse_nanotrack"), "untrained", "cpu")
    track_sequence(tracker, watch(Lying(scene)), None, lambda frame, result: used.append(result and result.cameras))
    # Nothing is known of this camera so early: a frozen one may as well be slow.
    gone = range(5, 10) if lie == "black" else range(0)
    assert used[1:] == [("rgb",) if index in gone else ("rgb", "ir") for index in range(1, 12)]
