"""A run that stopped and goes on: the boxes of one that did not stop, to the last bit, with the real loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.video import VideoReader
from rgbt_tracker.api import build_tracker
from rgbt_tracker.output.follow import Outcome, Request, follow
from rgbt_tracker.output.plan import make_plan
from rgbt_tracker.output.resume import EVERY, State, StateKeeper, state_path
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.tracking.tracker import Tracker

LENGTH = 9
NANO, GATED = "nanotrack_v3", "nestfuse_nanotrack"  # the second one's gate remembers


@pytest.fixture(scope="module")
def built() -> Callable[[str], Tracker]:
    """Function name -> untrained tracker, built once: one run leaves nothing of another."""
    return cache(lambda name: build_tracker(name, "untrained", "cpu"))


class Scene(FrameSequence):
    """Noise with a bright target; deep thermal; cameras that come and go; frame ``broken`` cannot be read."""

    def __init__(self, broken: int, gaps: bool, depth: type = np.uint16) -> None:
        truth = np.array([[20.0 + 3 * index, 22, 16, 14] for index in range(LENGTH)])
        super().__init__(SequenceInfo("scene", LENGTH, groundtruth=truth, source="scene"))
        self._broken, self._gaps, self._depth = broken, gaps, depth

    def frame(self, index: int) -> Frame:
        if index == self._broken:
            raise UserError("Cannot decode the frame.")
        rng = np.random.default_rng(index)
        rgb = rng.integers(0, 90, (72, 96, 3), dtype=np.uint8)
        ir = rng.integers(0, 90, (72, 96)).astype(self._depth) * (1 if self._depth is np.uint8 else 40)
        x = 20 + 3 * index
        rgb[22:36, x : x + 16], ir[22:36, x : x + 16] = 200, 200 * (1 if self._depth is np.uint8 else 40)
        frame = Frame(index, rgb, ir, time=index / 30)
        if not self._gaps:
            return frame
        # No thermal picture at first, then none of the visible camera for a while.
        return replace(frame, ir=None if index < 2 else ir, rgb=None if index in (5, 6) else rgb)


def go(folder: Path, tracker: Tracker, broken: int, gaps: bool, resume: bool = False) -> Outcome:
    scene = Scene(broken, gaps)
    plan = make_plan(
        scene.info, tracker.config.modality, folder, init=[] if resume else ["7:40,20,16,14"], resume=resume
    )
    return follow(tracker, tracker.config, scene, plan, Request(folder, None, show=False, maps=False))


@pytest.mark.parametrize(
    ("name", "stop", "gaps"),
    [(NANO, 1, True), (NANO, 4, False), (NANO, 4, True), (NANO, 6, True), (NANO, 8, True), (GATED, 4, True)],
)
def test_the_same_boxes_to_the_last_bit(
    tmp_path: Path, built: Callable[[str], Tracker], name: str, stop: int, gaps: bool
) -> None:
    tracker = built(name)
    go(tmp_path / "whole", tracker, LENGTH - 1, gaps)
    assert go(tmp_path / "parts", tracker, stop, gaps).error is not None
    tracker.initialize(*[np.full((72, 96, 3), 255, np.uint8)] * 2, (40, 30, 20, 20))  # something else meanwhile
    if stop < LENGTH - 1:
        assert go(tmp_path / "parts", tracker, LENGTH - 1, gaps, resume=True).error is not None
    whole, parts = (State.read(state_path(tmp_path / place, "scene")) for place in ("whole", "parts"))
    assert len(whole.boxes) == LENGTH - 1
    for kind in ("boxes", "scores", "cameras"):
        np.testing.assert_array_equal(getattr(parts, kind), getattr(whole, kind), err_msg=kind)
    assert whole.tracker.keys() == parts.tracker.keys()
    for kind, value in whole.tracker.items():
        np.testing.assert_array_equal(parts.tracker[kind], value, err_msg=kind)
    for end in (".txt", "_scores.txt", "_frames.csv"):
        first, second = ((tmp_path / place / f"scene{end}").read_bytes() for place in ("whole", "parts"))
        assert first == second, end


def test_a_whole_run_leaves_no_state_and_tells_no_error(tmp_path: Path, built: Callable[[str], Tracker]) -> None:
    outcome = go(tmp_path, built(NANO), -1, gaps=True)
    assert outcome.error is None and not state_path(tmp_path, "scene").exists()
    assert "stopped" not in " ".join(outcome.lines)
    lines = (tmp_path / "scene_frames.csv").read_text().splitlines()
    assert lines[1] == "0,0.000000,0,,rgb" and lines[2] == "1,0.033333,1,,rgb"
    assert lines[6].startswith("5,0.166667,,5,"), "the visible camera has no picture"
    assert lines[8] == "7,0.233333,7,7,rgb+ir", "a box was given: the cameras that are there"


def test_weight_maps_and_the_overlay_of_cameras_that_come_and_go(
    tmp_path: Path, built: Callable[[str], Tracker]
) -> None:
    tracker, scene = built(NANO), Scene(-1, gaps=True)
    tracker.record_maps = True
    plan = make_plan(scene.info, "rgbt", tmp_path, start=3)
    follow(tracker, tracker.config, scene, plan, Request(tmp_path, tmp_path / "o.mp4", show=False, maps=True))
    tracker.record_maps = False
    with np.load(tmp_path / "scene_maps.npz") as maps:
        seen = np.isfinite(maps["windows"]).all(axis=1)
    assert seen.tolist() == [False] * 4 + [True, False, False, True, True], "both cameras, and a box that was not given"
    with VideoReader(tmp_path / "o.mp4") as video:
        assert len(video) == LENGTH - 3
        dark = [bool((image[60:-40, : image.shape[1] // 2] < 40).mean() > 0.8) for image in video]
    assert dark == [False, False, True, True, False, False]


class Still:
    """A tracker whose state is how often it was asked for it."""

    def __init__(self) -> None:
        self.asked = 0

    def state(self) -> dict[str, np.ndarray]:
        self.asked += 1
        return {"asked": np.array(self.asked)}


def test_the_state_is_written_every_so_often_and_not_every_frame(tmp_path: Path) -> None:
    from rgbt_tracker.output.log import Log
    from rgbt_tracker.tracking.run import Step, as_given

    now, tracker, log = [0.0], Still(), Log(("rgb",))
    keeper = StateKeeper(tmp_path / "a_state.npz", tracker, log, {0: (1, 2, 3, 4)}, dict, clock=lambda: now[0])  # type: ignore[arg-type]
    written = []
    for index in range(100):
        now[0] = index * 0.3
        log.add(Step(Frame(index, np.zeros((2, 2, 3), np.uint8), None), as_given((index, 2, 3, 4)), 0.1))
        keeper.after_frame()
        count = len(State.read(tmp_path / "a_state.npz").boxes) if (tmp_path / "a_state.npz").exists() else 0
        if not written or written[-1] != count:
            written.append(count)
    steps = int(np.ceil(EVERY / 0.3))
    assert written == [0, steps + 1, 2 * steps + 1] and tracker.asked == 3
    keeper.ended()
    assert not list(tmp_path.iterdir())


ALTERED = {
    "no target": {"target": None},
    "target that is NaN": {"target": np.full(4, np.nan)},
    "target of a negative size": {"target": np.array([40.0, 30, -20, 20])},
    "target of 10^9 px": {"target": np.array([40.0, 30, 1e9, 1e9])},
    "target of three numbers": {"target": np.ones(3)},
    "age below zero": {"age": np.array(-1)},
    "certain twice": {"certain": np.array([True, True])},
    "no mean": {"mean_ir": None},
    "mean that is NaN": {"mean_ir": np.full(3, np.nan)},
    "mean of another camera": {"mean_depth": np.ones(3)},
    "memory of text": {"memory": np.array(["x"] * 3)},
    "memory without an end": {"memory": np.ones(10**6, np.float32)},
    "template of one pixel": {"template_ir": np.ones((1, 1, 3), np.uint8)},
    "picture without a size": {"size": np.zeros(0, np.int64)},
    "picture of 10^9 px": {"size": np.array([10**9, 10**9])},
    "scale of two numbers": {"thermal": np.ones(2)},
    "scale upside down": {"thermal": np.array([9.0, 1, 0, 0])},
    "scale of another length": {"thermal": np.array([1.0, 9, 3, 3, 1])},
}


@pytest.mark.parametrize("kind", ALTERED)
def test_a_tracker_s_state_that_cannot_be_is_refused(
    tmp_path: Path, built: Callable[[str], Tracker], kind: str
) -> None:
    go(tmp_path, built(GATED), 4, gaps=True)
    state = State.read(state_path(tmp_path, "scene"))
    assert ALTERED[kind].keys() <= state.tracker.keys() | {"mean_depth"}
    altered = {name: value for name, value in {**state.tracker, **ALTERED[kind]}.items() if value is not None}
    replace(state, tracker=altered).write()
    with pytest.raises(UserError, match=r"^The tracker's state in '.*scene_state.npz' is damaged \("):
        go(tmp_path, built(GATED), LENGTH - 1, gaps=True, resume=True)


@pytest.mark.parametrize(
    "altered",
    [
        {"boxes": np.full((4, 4), np.nan)},
        {"scores": np.full(4, 1j)},
        {"cameras": np.full(4, 9)},
        {"made_with": {"start": 10**30, "boxes": {}}},
        {"made_with": {"start": 0, "boxes": ["0"]}},
        {"made_with": {"start": 0, "boxes": {"0": [1, 2, 3, "nan"]}}},
        {"made_with": {"start": 0, "boxes": {"1": [1, 2, 3, 4]}}},
        {"made_with": {"start": "x", "boxes": {}}},
    ],
    ids=str,
)
def test_a_run_s_state_that_cannot_be_is_refused(tmp_path: Path, altered: dict[str, object]) -> None:
    parts = {"boxes": np.ones((4, 4)), "scores": np.ones(4), "seconds": np.ones(4), "cameras": np.ones(4, np.uint8)}
    told = {"made_with": {"start": 0, "boxes": {"0": [1, 2, 3, 4]}}, "tracker": {}, "path": tmp_path / "a_state.npz"}
    State(**{**told, **parts}).write()  # type: ignore[arg-type]
    assert State.read(tmp_path / "a_state.npz").end == 4
    State(**{**told, **parts, **altered}).write()  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"^Expected the state of a stopped run in .*, but it is damaged"):
        State.read(tmp_path / "a_state.npz")
