"""``rgbt track`` that stops early: what it leaves, and going on from there; starts and boxes in other frames."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_tracking import BOXES, COUNT, Fake, count_frames, ctrl_c, files, nano, refused

from nestfuse_core.common.commands import single
from nestfuse_core.common.guard import run
from rgbt_tracker.cli.track import track
from rgbt_tracker.results.read import read_frames
from rgbt_tracker.sequences import read_boxes


def test_ctrl_c_keeps_the_frames_so_far(fake: Fake, folder: Path, rgbt: Any) -> None:
    fake.before_update = ctrl_c(3)
    done = rgbt("--sequence", folder, *nano("--video", "o.mp4"))
    assert done.code == 130 and "Interrupted" in done.err
    assert "stopped after 4 of 6 frames: you ended it; the same command with --resume goes on at frame 4" in done.out
    np.testing.assert_allclose(read_boxes(Path("out/street.txt")), BOXES[:4])
    assert len(read_frames(Path("out/street_frames.csv"))) == 4 == count_frames("o.mp4")
    assert files(folder.parent.parent) == ["data", "o.mp4", "out"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_interrupts_at_once(fake: Fake, folder: Path, rgbt: Any) -> None:
    def twice(number: int) -> None:
        if number == 3:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    fake.before_update = twice
    done = rgbt("--sequence", folder, *nano())
    # In the middle of an update a tracker is in no state to go on from, so that an earlier one is kept.
    assert done.code == 130 and "stopped after 3 of 6 frames" in done.out and "goes on at frame 1" in done.out
    np.testing.assert_allclose(read_boxes(Path("out/street.txt")), BOXES[:3])
    fake.before_update = None
    assert rgbt("--sequence", folder, *nano("--resume")).code == 0
    np.testing.assert_allclose(read_boxes(Path("out/street.txt")), BOXES)


def test_ctrl_c_in_the_last_frame_is_the_end(fake: Fake, folder: Path, rgbt: Any) -> None:
    fake.before_update = ctrl_c(COUNT - 1)
    done = rgbt("--sequence", folder, *nano())
    assert done.code == 0 and "stopped" not in done.out and "street_state.npz" not in files(Path("out"))


def test_an_error_that_is_a_bug_loses_no_frame_either(fake: Fake, folder: Path) -> None:
    def fail(number: int) -> None:
        if number == 3:
            raise RuntimeError("no user is to blame")

    fake.before_update = fail
    with pytest.raises(SystemExit) as end:
        run(single(track), ["--sequence", str(folder), *nano()])
    assert end.value.code == 1
    assert len(read_boxes(Path("out/street.txt"))) == 3


# ---- going on


def test_going_on_gives_the_track_of_a_run_that_was_not_stopped(fake: Fake, folder: Path, rgbt: Any) -> None:
    whole = rgbt("--sequence", folder, *nano("--output", "whole", "--video", "whole.mp4"))
    assert whole.code == 0
    fake.before_update = ctrl_c(3)
    assert rgbt("--sequence", folder, *nano("--video", "o.mp4")).code == 130
    fake.before_update = None
    done = rgbt("--sequence", folder, *nano("--video", "o.mp4", "--resume"))
    assert done.code == 0, done.err
    assert fake.tracker.updates == 2, "frames 4 and 5 alone were left"
    assert "street: 2 frames after 4 of an earlier run in" in done.out and "ground truth 1.000" in done.out
    for name in ("street.txt", "street_scores.txt", "street_frames.csv"):
        assert Path("out", name).read_bytes() == Path("whole", name).read_bytes()
    assert len(np.loadtxt("out/street_time.txt")) == COUNT == count_frames("o.mp4")
    assert "street_state.npz" not in files(Path("out"))


def test_going_on_may_be_stopped_again(fake: Fake, folder: Path, rgbt: Any) -> None:
    (folder / "visible" / "0005.png").rename("kept.png")
    (folder / "visible" / "0005.png").write_bytes(b"cut")
    assert rgbt("--sequence", folder, *nano()).code == 2
    before = Path("out/street_state.npz").read_bytes()
    again = rgbt("--sequence", folder, *nano("--resume"))
    assert again.code == 2 and "0005.png" in again.err and fake.tracker.updates == 0
    assert len(read_boxes(Path("out/street.txt"))) == 5 and Path("out/street_state.npz").read_bytes() == before
    Path("kept.png").rename(folder / "visible" / "0005.png")
    assert rgbt("--sequence", folder, *nano("--resume")).code == 0
    np.testing.assert_allclose(read_boxes(Path("out/street.txt")), BOXES)


def test_nothing_to_go_on_with(fake: Fake, folder: Path, rgbt: Any) -> None:
    refused(
        rgbt("--sequence", folder, *nano("--resume")), "no stopped run", "out/street_state.npz", "leave --resume out"
    )


@pytest.fixture
def stopped(fake: Fake, folder: Path, rgbt: Any) -> Path:
    """The state of a run that stopped after four frames."""
    fake.before_update = ctrl_c(3)
    assert rgbt("--sequence", folder, *nano()).code == 130
    fake.before_update = None
    return Path("out/street_state.npz")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--modality", "ir"), "another modality (rgbt then, ir now)"),
        (("--init", "1,2,3,4"), "frame 0 had another box"),
        (("--init", "2:1,2,3,4"), "frames before 4 are tracked"),
        (("--start", "2"), "it began at frame 0"),
        (("--maps",), "another --maps (False then, True now)"),
        (("--homography", "1,0,3,0,1,4,0,0,1"), "another thermal.homography"),
    ],
)
def test_other_settings_are_refused(stopped: Path, folder: Path, rgbt: Any, arguments: Any, words: str) -> None:
    before = stopped.read_bytes()
    done = rgbt("--sequence", folder, *nano("--resume", *arguments))
    assert done.code == 2 and words in done.err and "leave --resume out to begin anew" in done.err
    assert stopped.read_bytes() == before and len(read_boxes(Path("out/street.txt"))) == 4


def test_other_weights_are_refused(stopped: Path, folder: Path, fake: Fake, rgbt: Any) -> None:
    fake.bias = 1.0
    assert "another weights" in rgbt("--sequence", folder, *nano("--resume")).err


def test_another_sequence_of_that_name_is_refused(stopped: Path, folder: Path, rgbt: Any) -> None:
    sources = ("--rgb", folder / "visible", "--ir", folder / "infrared", "--name", "street")
    assert "another sequence" in rgbt(*sources, *nano("--resume")).err


def test_another_pairing_is_refused(fake: Fake, folder: Path, rgbt: Any) -> None:
    sources = ("--rgb", folder / "visible", "--ir", folder / "infrared", "--init", "1,2,3,4", "--fps", "10")
    fake.before_update = ctrl_c(3)
    assert rgbt(*sources, *nano()).code == 130
    fake.before_update = None
    done = rgbt(*sources, *nano("--offset", "0.2", "--resume"))
    assert done.code == 2 and "another reading of the sequence" in done.err
    assert rgbt(*sources, *nano("--resume")).code == 0


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_a_damaged_state_is_named(stopped: Path, folder: Path, rgbt: Any, content: bytes | None) -> None:
    stopped.write_bytes(stopped.read_bytes()[:200] if content is None else content)
    done = rgbt("--sequence", folder, *nano("--resume"))
    assert done.code == 2 and "street_state.npz', but it is damaged" in done.err


def test_a_run_from_the_beginning_says_that_another_stopped(stopped: Path, folder: Path, rgbt: Any) -> None:
    done = rgbt("--sequence", folder, *nano())
    assert done.code == 0 and "An earlier run of 'street' stopped early; --resume goes on" in done.err
    assert not stopped.exists()


def test_a_box_may_be_added_when_going_on(stopped: Path, folder: Path, rgbt: Any) -> None:
    assert rgbt("--sequence", folder, *nano("--resume", "--init", "4:30,30,5,6")).code == 0
    boxes = read_boxes(Path("out/street.txt"))
    np.testing.assert_allclose(boxes[:4], BOXES[:4])
    assert boxes[4:].tolist() == [[30, 30, 5, 6], [32, 30, 5, 6]]


KILLED = """
import os, sys
import rgbt_tracker.api, rgbt_tracker.output.resume
from fake_tracking import FakeTracker
from nestfuse_core.common.commands import single
from nestfuse_core.common.guard import run
from rgbt_tracker.cli.track import track

def build(settings, weights, device, runtime):
    tracker = FakeTracker(settings)
    tracker.before_update = lambda number: os.kill(os.getpid(), 9) if number == 4 else None
    return tracker

rgbt_tracker.api.build_tracker = build
rgbt_tracker.output.resume.EVERY = 0.0
run(single(track), sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_run_goes_on_from_its_last_state(fake: Fake, folder: Path, rgbt: Any) -> None:
    places = [str(Path(__file__).parent), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    command = [sys.executable, "-c", KILLED, "--sequence", str(folder), *nano()]
    killed = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr
    assert files(Path("out")) == ["street_state.npz"], "nothing half-written"
    assert rgbt("--sequence", folder, *nano("--resume")).code == 0
    assert fake.tracker.updates == 2
    np.testing.assert_allclose(read_boxes(Path("out/street.txt")), BOXES)


# ---- other frames


def test_a_run_may_begin_later(fake: Fake, folder: Path, rgbt: Any) -> None:
    done = rgbt("--sequence", folder, *nano("--start", "2", "--video", "o.mp4"))
    assert done.code == 0 and "street: 4 frames in" in done.out and "ground truth 1.000" in done.out
    boxes = read_boxes(Path("out/street.txt"))
    assert np.isnan(boxes[:2]).all(), "a line stays a frame"
    np.testing.assert_allclose(boxes[2:], BOXES[2:])
    assert [row.frame for row in read_frames(Path("out/street_frames.csv"))] == [2, 3, 4, 5]
    assert len(np.loadtxt("out/street_scores.txt")) == COUNT and count_frames("o.mp4") == 4


def test_a_later_start_with_its_own_box_goes_on_too(fake: Fake, folder: Path, rgbt: Any) -> None:
    fake.before_update = ctrl_c(1)
    assert rgbt("--sequence", folder, *nano("--start", "2", "--init", "1,2,3,4")).code == 130
    fake.before_update = None
    assert rgbt("--sequence", folder, *nano("--resume")).code == 0
    boxes = read_boxes(Path("out/street.txt"))
    assert boxes[2:].tolist() == [[1, 2, 3, 4], [3, 2, 3, 4], [5, 2, 3, 4], [7, 2, 3, 4]]


def test_boxes_for_further_frames_put_the_tracker_back(fake: Fake, folder: Path, rgbt: Any) -> None:
    done = rgbt("--sequence", folder, *nano("--init", "1,2,3,4", "--init", "3:30,20,5,6"))
    assert done.code == 0 and fake.tracker.updates == 4
    boxes = read_boxes(Path("out/street.txt"))
    assert boxes.tolist() == [
        [1, 2, 3, 4], [3, 2, 3, 4], [5, 2, 3, 4], [30, 20, 5, 6], [32, 20, 5, 6], [34, 20, 5, 6]
    ]  # fmt: skip
    assert np.loadtxt("out/street_scores.txt").tolist() == [1, 0.8, 0.8, 1, 0.8, 0.8]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--start", "6"), "Expected --start from 0 to 5"),
        (("--start", "-1"), "Expected --start from 0 to 5"),
        (("--init", "6:1,2,3,4"), "--init for a frame from 0 to 5, got '6:1,2,3,4'"),
        (("--start", "3", "--init", "2:1,2,3,4"), "--init for a frame from 3 to 5"),
        (("--init", "1,2,3,4", "--init", "0:1,2,3,4"), "got two for frame 0"),
        (("--init", "2:1,2,3,4", "--init", "2:1,2,3,5"), "got two for frame 2"),
        (("--init", "x:1,2,3,4"), "--init N:x,y,w,h"),
        (("--init", "2:1,2,3"), "four numbers"),
        (("--init", "2:.1,.2,.3,.4"), "normalised"),
        (("--init", "4:700,2,3,4"), "outside the 64x48 image"),
    ],
)
def test_starts_and_boxes_for_no_frame(fake: Fake, folder: Path, rgbt: Any, arguments: Any, words: str) -> None:
    refused(rgbt("--sequence", folder, *nano(*arguments)), words)
