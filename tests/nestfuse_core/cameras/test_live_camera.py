"""One live camera on scripted captures: what it keeps, what it notes, how it comes back, and that its thread ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from nestfuse_core.cameras import live
from nestfuse_core.cameras.live import HELD, PAUSES, LiveCamera, is_live
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.video_stream import DamagedPictureError, StreamEndedError, VideoStream

Script = list[float | str | tuple[int, int]]


class World:
    """A clock, what happens at each opening of the camera, and the pauses that were made.

    A script is what one connection does: seconds until the next picture, "damaged", or the size of the pictures from
    there on; it ends with the connection. "refused" in place of a script is an opening that fails.
    """

    def __init__(self, *openings: Script | str) -> None:
        self.now, self.openings, self.pauses, self.closed = 0.0, list(openings), [], 0

    def open(self, address: str) -> FakeCapture:
        opening = self.openings.pop(0) if self.openings else "refused"
        if isinstance(opening, str):
            raise StreamEndedError(opening)
        return FakeCapture(self, opening)

    def rest(self, seconds: float) -> bool:
        self.now += seconds
        self.pauses.append(seconds)
        return False

    def camera(self) -> LiveCamera:
        return LiveCamera("rtsp://camera", "thermal camera", self.open, lambda: self.now, self.rest)


class FakeCapture:
    fps = None

    def __init__(self, world: World, script: Script) -> None:
        self.world, self.script, self.size, self.good = world, list(script), (4, 3), True

    def grab(self) -> None:
        while self.script and isinstance(self.script[0], tuple):
            self.size = self.script.pop(0)  # type: ignore[assignment]
        if not self.script:
            raise StreamEndedError("closed")
        step = self.script.pop(0)
        self.good = not isinstance(step, str)
        self.world.now += step if isinstance(step, float) else 0.0

    def retrieve(self) -> np.ndarray:
        if not self.good:
            raise DamagedPictureError("torn")
        return np.zeros((self.size[1], self.size[0], 3), np.uint8)

    def close(self) -> None:
        self.world.closed += 1


def stepped(camera: LiveCamera, count: int) -> LiveCamera:
    for _ in range(count):
        camera.step()
    return camera


def times(camera: LiveCamera) -> list[float]:
    return [round(arrival.time, 6) for arrival in camera.held()]


def test_the_newest_pictures_with_their_times() -> None:
    camera = stepped(World([0.1] * 10).camera(), 10)
    assert [arrival.index for arrival in camera.held()] == [7, 8, 9] and len(camera.held()) == HELD
    assert times(camera) == [0.8, 0.9, 1.0] and camera.arrived == 10
    assert camera.measured and camera.interval == pytest.approx(0.1) and camera.events == []


def test_a_span_of_pictures() -> None:
    camera = World([0.1] * 20).camera()
    camera.span = 0.45
    assert times(stepped(camera, 20)) == [1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0]


@pytest.mark.parametrize("steps", [[0.1, 0.1], [0.0, 0.2], [0.19, 0.01], [0.4, 0.0, 0.0, 0.0]])
def test_the_usual_interval_whether_the_network_delivers_one_by_one_or_not(steps: list[float]) -> None:
    many = steps * 20
    many[-10] += 3.0  # a gap is not usual
    assert stepped(World(many).camera(), len(many)).interval == pytest.approx(0.1, rel=0.06)


def test_a_picture_that_had_waited_is_not_kept() -> None:
    """The thread had no processor for three intervals: two pictures come at once, of which the first is old."""
    camera = stepped(World([0.1] * 6 + [0.3, 0.001]).camera(), 8)
    assert times(camera) == [0.5, 0.6, 0.901] and [arrival.index for arrival in camera.held()] == [4, 5, 7]


def test_a_stream_that_drops_is_opened_again_with_growing_pauses() -> None:
    world = World([0.1] * 6, *["refused"] * 7, [0.1] * 3)
    camera = stepped(world.camera(), 6 + 1 + 8)
    assert world.pauses == [*PAUSES, PAUSES[-1], PAUSES[-1]]
    assert camera.lost_since == pytest.approx(0.6), "it was opened, but nothing has come"
    stepped(camera, 1)
    assert [(event.kind, event.detail) for event in camera.events] == [("lost", "closed"), ("back", "")]
    assert camera.events[1].time == pytest.approx(0.6 + sum(world.pauses) + 0.1)
    assert camera.lost_since is None and camera.held()[-1].index == 6 and world.closed == 1
    stepped(camera, 4)
    assert world.pauses[8:] == list(PAUSES[:1]), "after a picture, pauses are short again"


def test_a_stream_that_opens_without_a_picture_is_not_back() -> None:
    world = World([0.1], [], [], [], [0.1])
    camera = stepped(world.camera(), 1 + 1 + 3 * 2)
    assert world.pauses == list(PAUSES[:3]) and [event.kind for event in camera.events] == ["lost"]


def test_the_interval_is_kept_while_it_is_measured_anew() -> None:
    camera = stepped(World([0.1] * 6, [0.2] * 10).camera(), 6 + 2 + 3)
    assert camera.interval == pytest.approx(0.1) and not camera.measured
    assert stepped(camera, 5).interval == pytest.approx(0.2)


def test_a_change_of_size_is_noted() -> None:
    camera = stepped(World([0.1, 0.1, (8, 6), 0.1, 0.1]).camera(), 4)
    assert [(event.kind, round(event.time, 6), event.detail) for event in camera.events] == [
        ("size", 0.3, "from 4x3 to 8x6")
    ]


def test_pictures_that_cannot_be_decoded_are_counted() -> None:
    camera = stepped(World([0.1, "damaged", "damaged", 0.1]).camera(), 4)
    assert (camera.damaged, camera.arrived, camera.lost_since) == (2, 2, None)


def test_nothing_but_damage_is_a_loss() -> None:
    world = World([0.1, *["damaged"] * live.DAMAGED, 0.1], [0.1])
    camera = stepped(world.camera(), 1 + live.DAMAGED)
    assert [(event.kind, event.detail) for event in camera.events] == [("lost", "torn")]
    assert stepped(camera, 2).lost_since is None and camera.arrived == 2


def test_a_camera_that_is_not_there() -> None:
    with pytest.raises(UserError, match=r"Cannot open the thermal camera 'rtsp://camera' \(refused\); expected"):
        World("refused").camera()
    with pytest.raises(UserError, match="Cannot open the camera '97'"):
        LiveCamera("97")
    with pytest.raises(StreamEndedError, match="refused"):
        VideoStream("http://127.0.0.1:9/")


@pytest.mark.parametrize(
    ("address", "expected"),
    [("0", True), ("/dev/video2", True), ("rtsp://a/b", True), ("http://a", True), ("a.mp4", False), ("a/0", False)],
)
def test_addresses(address: str, expected: bool) -> None:
    assert is_live(address) is expected


# ---- the thread


class Ticking:
    """A capture that delivers a picture every two milliseconds, or fails after ten."""

    fps = None

    def __init__(self, error: Exception | None = None) -> None:
        self.count, self.error, self.closed = 0, error, False

    def grab(self) -> None:
        assert not self.closed, "nothing is taken from a camera that was let go"
        time.sleep(0.002)
        self.count += 1
        if self.error is not None and self.count > 10:
            raise self.error

    def retrieve(self) -> np.ndarray:
        return np.zeros((3, 4, 3), np.uint8)

    def close(self) -> None:
        self.closed = True


def wait_until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not happened() and time.monotonic() < end:
        time.sleep(0.002)
    assert happened()


def running() -> bool:
    return any(thread.name.startswith("live ") for thread in threading.enumerate())


def test_the_thread_reads_until_it_is_closed() -> None:
    capture, changes = Ticking(), []
    camera = LiveCamera("0", opener=lambda address: capture)
    camera.on_change = lambda: changes.append(camera.arrived)
    camera.start()
    camera.start()
    wait_until(lambda: camera.arrived > 20)
    camera.close()
    assert capture.closed and not running() and len(changes) >= 20
    camera.close()


def test_a_camera_that_never_started_is_let_go() -> None:
    capture = Ticking()
    LiveCamera("0", opener=lambda address: capture).close()
    assert capture.closed


def test_closing_does_not_wait_for_a_pause_to_end() -> None:
    captures = iter([Ticking(StreamEndedError("closed"))])

    def opener(address: str) -> Ticking:
        for capture in captures:
            return capture
        raise StreamEndedError("refused")

    camera = LiveCamera("0", opener=opener)
    camera.start()
    wait_until(lambda: camera.lost_since is not None)
    camera._attempts = len(PAUSES)  # ten seconds from the next attempt on
    wait_until(lambda: camera._attempts > len(PAUSES))
    began = time.monotonic()
    camera.close()
    assert time.monotonic() - began < PAUSES[-1] / 2 and not running()


def test_an_unforeseen_error_is_kept() -> None:
    capture = Ticking(ZeroDivisionError("bug"))
    camera = LiveCamera("0", opener=lambda address: capture)
    camera.start()
    wait_until(lambda: camera.failure is not None)
    camera.close()
    assert isinstance(camera.failure, ZeroDivisionError) and camera.lost_since is not None and capture.closed
    assert [event.detail for event in camera.events] == ["ZeroDivisionError: bug"]


ENDS_INSIDE = """
import sys, time

import numpy as np
from nestfuse_core.cameras.live import LiveCamera

class Slow:
    fps = None
    def grab(self):
        time.sleep(0.3)
    def retrieve(self):
        return np.zeros((3, 4, 3), np.uint8)
    def close(self):
        print("let go", flush=True)

LiveCamera("0", opener=lambda address: Slow()).start()
time.sleep(0.1)
sys.exit(3)
"""


def test_a_program_that_ends_ends_the_thread_first() -> None:
    """A thread that is torn down inside a decoder aborts the process."""
    ended = subprocess.run([sys.executable, "-c", ENDS_INSIDE], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "let go\n", "")


class FakeDevice:
    """What OpenCV's capture object offers: two pictures, the second of which fails as ``damage`` says."""

    def __init__(self, damage: Exception | None) -> None:
        self.damage, self.taken, self.settings, self.released = damage, 0, {}, False

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def set(self, key: int, value: float) -> None:
        self.settings[key] = value

    def get(self, key: int) -> float:
        return 25.0

    def grab(self) -> bool:
        self.taken += 1
        return self.taken <= 2

    def retrieve(self) -> tuple[bool, np.ndarray | None]:
        if self.taken == 1:
            return True, np.zeros((3, 4, 3), np.uint8)
        if self.damage is not None:
            raise self.damage
        return False, None

    def release(self) -> None:
        self.released = True


@pytest.mark.parametrize("damage", [None, cv2.error("bad")])
def test_a_device_through_opencv(monkeypatch: pytest.MonkeyPatch, damage: Exception | None) -> None:
    opened, fake = [], FakeDevice(damage)
    monkeypatch.setattr(cv2, "VideoCapture", lambda address: opened.append(address) or fake)
    camera = stepped(LiveCamera("1"), 3)
    assert opened == [1] and camera.fps == 25 and fake.settings == {cv2.CAP_PROP_BUFFERSIZE: 1}
    assert (camera.arrived, camera.damaged) == (1, 1) and camera.lost_since is not None and fake.released
    LiveCamera("/dev/video7").close()
    assert opened == [1, "/dev/video7"]
