"""Two live cameras as a sequence, on cameras that deliver by a script and a clock that ticks when it is read."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nestfuse_core.cameras.live import HELD, Arrival, Event, LiveCamera
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.video_stream import StreamEndedError
from rgbt_tracker.sequences import FrameSequence, SequenceInfo, open_pair, prefetch
from rgbt_tracker.sequences import live as live_module
from rgbt_tracker.sequences.live import LivePair, Stoppable, open_live


class Clock:
    """Two milliseconds go by whenever somebody looks."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.002
        return self.now


@dataclass
class Scripted:
    """A camera whose pictures come at ``times`` and hold their number; lost from ``lost_at`` on."""

    clock: Clock
    times: list[float]
    interval: float
    lost_at: float = float("inf")
    size: tuple[int, int] = (4, 3)
    address: str = "rtsp://camera"
    span: float = 0.0
    damaged: int = 0
    events: list[Event] = field(default_factory=list)
    failure: BaseException | None = None
    closed: bool = False
    on_change: Any = None

    @property
    def arrived(self) -> int:
        return bisect_right(self.times, self.clock.now)

    @property
    def measured(self) -> bool:
        return self.arrived > 4

    @property
    def lost_since(self) -> float | None:
        return self.lost_at if self.clock.now >= self.lost_at else None

    def held(self) -> tuple[Arrival, ...]:
        kept = max(0, bisect_right(self.times, self.clock.now - self.span) - HELD)
        return tuple(Arrival(k, self.times[k], self.picture(k)) for k in range(kept, self.arrived))

    def picture(self, index: int) -> np.ndarray:
        return np.full((self.size[1], self.size[0], 3), index % 250, np.uint8)

    def stop(self) -> None:
        assert not self.closed

    def close(self) -> None:
        self.closed = True


def every(clock: Clock, rate: float, seconds: float = 2.0, phase: float = 0.0, **more: Any) -> Scripted:
    times = [(k + phase) / rate for k in range(int(seconds * rate))]
    return Scripted(clock, times, 1 / rate, **more)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(live_module, "LOOK", 0.0)
    return Clock()


def paired(clock: Clock, offset: float = 0.0, patience: float = 0.5, **cameras: Scripted) -> LivePair:
    sequence = LivePair(SequenceInfo("live", None), cameras, offset, clock)  # type: ignore[arg-type]
    sequence.patience = patience
    return sequence


def test_pairs_count_times_and_the_places_of_their_pictures(clock: Clock) -> None:
    rgb, ir = every(clock, 30, lost_at=2.0), every(clock, 9, phase=0.5, lost_at=2.0)
    with paired(clock, rgb=rgb, ir=ir) as sequence:
        frames = list(sequence)
    assert [frame.index for frame in frames] == list(range(len(frames))) and len(frames) == pytest.approx(58, abs=2)
    with pytest.raises(TypeError, match="live source"):
        len(sequence)
    assert frames[0].time == 0 and sequence.live and sequence.cameras == ("rgb", "ir")
    first = frames[0].rgb_index or 0
    for frame in frames:
        assert frame.rgb is not None and frame.rgb_index is not None and frame.time is not None
        assert frame.rgb[0, 0, 0] == frame.rgb_index
        assert frame.time == pytest.approx((frame.rgb_index - first) / 30)
        assert (frame.ir is None) == (frame.ir_index is None)
        if frame.ir_index is not None and frame.ir is not None:
            assert frame.ir[0, 0, 0] == frame.ir_index
            assert abs(ir.times[frame.ir_index] - rgb.times[frame.rgb_index]) <= 1 / 9
    thermal = [frame.ir_index for frame in frames if frame.ir_index is not None]
    assert thermal == sorted(thermal) and len(set(thermal)) < len(thermal), "a picture used twice keeps its number"
    assert rgb.closed and ir.closed


def test_it_ends_when_nothing_came_for_long_enough(clock: Clock) -> None:
    rgb, ir = every(clock, 30, lost_at=2.0), every(clock, 9, seconds=1, lost_at=1.0)
    sequence = paired(clock, rgb=rgb, ir=ir, patience=0.7)
    assert len(list(sequence)) == pytest.approx(60, abs=2)
    assert sequence.broken and clock.now == pytest.approx(2.7, abs=0.05)
    assert "ended: no camera delivered anything, or could be opened again, for 0.7 s" in sequence.summary()


def test_a_camera_that_delivers_keeps_it_going(clock: Clock) -> None:
    rgb, ir = every(clock, 30, seconds=0.5, lost_at=0.5), every(clock, 9, seconds=4, lost_at=4.0)
    frames = list(paired(clock, rgb=rgb, ir=ir))
    alone = [frame for frame in frames if frame.rgb is None]
    assert len(alone) == pytest.approx(3.4 * 9, abs=2) and all(frame.ir is not None for frame in alone)


def test_the_first_frame_waits_for_both_cameras(clock: Clock) -> None:
    late = every(clock, 9, seconds=3, lost_at=3.0)
    late.times = [time for time in late.times if time > 1.0]
    frames = paired(clock, rgb=every(clock, 30, seconds=3, lost_at=3.0), ir=late)
    first = next(iter(frames))
    assert first.ir_index == 0 and first.rgb_index is not None and first.rgb_index >= 29


def test_the_first_frame_does_not_wait_for_ever(clock: Clock) -> None:
    frames = paired(clock, rgb=every(clock, 30, seconds=9), ir=Scripted(clock, [], 0.1))
    first = next(iter(frames))
    assert first.ir is None and clock.now == pytest.approx(live_module.SETTLING, abs=0.1)


@pytest.mark.parametrize("offset", [0.4, -0.4])
def test_an_offset(clock: Clock, offset: float) -> None:
    """The same instants, which one camera delivers later: their pictures have the same number."""
    rgb = every(clock, 25, seconds=2, lost_at=2.5)
    ir = every(clock, 25, seconds=2, lost_at=2.5)
    later = ir if offset > 0 else rgb
    later.times = [time + 0.4 for time in later.times]
    frames = list(paired(clock, offset, rgb=rgb, ir=ir))
    assert len(frames) > 40 and all(frame.rgb_index == frame.ir_index for frame in frames)


def test_a_picture_of_another_size_is_scaled_to_the_first(clock: Clock) -> None:
    rgb = every(clock, 30, lost_at=2.0)
    frames = []
    for frame in paired(clock, rgb=rgb):
        frames.append(frame)
        rgb.size = (8, 6)
    assert {frame.rgb.shape for frame in frames if frame.rgb is not None} == {(3, 4, 3)} and len(frames) > 50


def test_an_error_of_a_reading_thread_is_raised(clock: Clock) -> None:
    rgb = every(clock, 30, lost_at=2.0)
    rgb.failure = ZeroDivisionError("bug")
    with pytest.raises(ZeroDivisionError, match="bug"):
        list(paired(clock, rgb=rgb))


def test_what_the_summary_tells(clock: Clock) -> None:
    rgb = every(clock, 25, seconds=2, lost_at=2.0)
    ir = every(clock, 25, seconds=1, phase=0.25, lost_at=1.0, damaged=3)
    rgb.events = [Event("lost", 0.5, "refused"), Event("back", 1.25), Event("size", 1.5, "from 4x3 to 8x6")]
    rgb.events += [event for k in range(6) for event in (Event("lost", 1.6 + k), Event("back", 1.7 + k))]
    sequence = paired(clock, rgb=rgb, ir=ir)
    frames = list(sequence)
    both = sum(frame.ir is not None and frame.rgb is not None for frame in frames)
    lines = sequence.summary()
    assert lines[0].startswith("visible camera: ") and f"25.0 a second; {len(frames)} used" in lines[0]
    assert lines[1] == "visible camera: lost at 0.5 s (refused), back at 1.2 s"
    assert lines[2] == "visible camera: picture size changed at 1.5 s, from 4x3 to 8x6; scaled to the first one's"
    assert lines[6] == "visible camera: and 3 times more"
    assert lines[8] == "thermal camera: 3 pictures could not be decoded"
    assert lines[9].startswith(f"pairs: {both} of {len(frames)} frames have both cameras, 1")
    assert lines[9].endswith(f"; {len(frames) - both} have the visible one alone") and 0 < both < len(frames)


# ---- on threads


class Ticking:
    """A capture that delivers for ever, or ``count`` pictures."""

    fps = None

    def __init__(self, period: float, count: int = 10**9) -> None:
        self.period, self.count, self.closed = period, count, False

    def grab(self) -> None:
        time.sleep(self.period)
        self.count -= 1
        if self.count < 0:
            raise StreamEndedError("closed")

    def retrieve(self) -> np.ndarray:
        return np.full((3, 4, 3), 7, np.uint8)

    def close(self) -> None:
        self.closed = True


def ticking(period: float = 0.005, count: int = 10**9) -> LiveCamera:
    openings = iter([Ticking(period, count)])

    def opener(address: str) -> Ticking:
        for capture in openings:
            return capture
        raise StreamEndedError("refused")

    return LiveCamera("rtsp://user:secret@heat/1", "camera", opener)


def running() -> bool:
    return any(thread.name.startswith("live ") for thread in threading.enumerate())


def test_two_cameras_on_threads() -> None:
    with open_live(ticking(0.005), ticking(0.02)) as sequence:
        assert sequence.name == "cameraheat-1" and sequence.info.length is None
        note = sequence.info.notes[0]
        assert note.startswith("Live, frames a second as measured: visible ") and "paired by arrival, at most " in note
        for frame in Stoppable(sequence):
            if frame.index == 20:
                break
    assert not running() and not sequence.broken


def test_one_camera_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LivePair, "patience", 0.1)
    with open_live(None, ticking(0.005, 30), "heat") as sequence:
        frames = list(prefetch(sequence))
    assert frames and all(frame.rgb is None and frame.ir is not None for frame in frames)
    assert sequence.broken and prefetch(sequence).broken and sequence.name == "heat"
    assert prefetch(sequence).summary() == sequence.summary() and "lost at" in sequence.summary()[1]


@pytest.mark.parametrize("count", [10**9, 5])
def test_stopping_while_it_runs_and_while_it_waits(count: int) -> None:
    with open_live(ticking(0.005, count), None) as sequence:
        source = Stoppable(sequence)
        threading.Timer(0.1, source.stop).start()
        began = time.monotonic()
        frames = list(source)
        assert time.monotonic() - began < LivePair.patience / 2
    assert not sequence.broken and (len(frames) > 0 or count == 5)


def test_a_start_that_was_chosen_is_frame_and_second_0() -> None:
    with open_live(ticking(), None) as sequence:
        source = Stoppable(sequence)
        shown = []
        first = source.choose_start(lambda frame: shown.append(frame) is None and len(shown) == 4)
        frames = []
        for frame in source:
            frames.append(frame)
            if len(frames) == 3:
                source.stop()
    assert [frame.index for frame in frames] == [0, 1, 2] and frames[0].rgb_index == first.rgb_index
    assert frames[0].time == 0 and 0 < (frames[1].time or 0) < (frames[2].time or 0)


def test_frames_of_a_camera_have_no_number() -> None:
    with open_live(ticking(), None) as sequence, pytest.raises(UserError, match="is live; iterate over it"):
        sequence.frame(3)


def test_a_camera_that_does_not_open_lets_the_other_go() -> None:
    other = ticking()
    with pytest.raises(UserError, match="Cannot open the thermal camera '97'"):
        open_live(other, "97")
    assert not running()


def test_no_camera() -> None:
    with pytest.raises(UserError, match="Expected one or two cameras, got none"):
        open_live(None, None)


def test_a_recording_beside_a_camera(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"got the recording '.*' for --ir beside a live camera"):
        open_pair("0", tmp_path)
    assert not running()


def test_recordings_are_never_broken() -> None:
    class Recorded(FrameSequence):
        def frame(self, index: int) -> Any:
            raise AssertionError

    recorded = Recorded(SequenceInfo("recorded", 3))
    recorded.stop()
    assert not recorded.broken and recorded.summary() == [] and not prefetch(recorded).broken
