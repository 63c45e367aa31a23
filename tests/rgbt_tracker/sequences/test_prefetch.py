"""Reading ahead: the same frames, errors in their place, and a thread that ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.sequences import Frame, FrameSequence, SequenceInfo, prefetch

LIVE = 20


class Counting(FrameSequence):
    """Frames that hold their number; counts how far it was read and may fail at one frame."""

    def __init__(self, length: int | None, fail_at: int | None = None) -> None:
        super().__init__(SequenceInfo("counting", length))
        self.fail_at, self.read = fail_at, 0

    def frame(self, index: int) -> Frame:
        if index == self.fail_at:
            raise UserError(f"cannot read frame {index}")
        self.read = max(self.read, index + 1)
        return Frame(index, np.full((2, 2, 3), index % 256, np.uint8), None)

    def __iter__(self) -> Iterator[Frame]:
        if self.info.length is not None:
            yield from super().__iter__()
            return
        for index in range(LIVE):
            yield self.frame(index)


def wait_for_threads() -> None:
    end = time.monotonic() + 5
    while time.monotonic() < end and any(thread.name == "read-ahead" for thread in threading.enumerate()):
        time.sleep(0.01)
    assert not any(thread.name == "read-ahead" for thread in threading.enumerate())


@pytest.mark.parametrize("length", [0, 1, 5, 100])
@pytest.mark.parametrize("depth", [1, 3, 50])
def test_every_frame_once_and_in_order(length: int, depth: int) -> None:
    ahead = prefetch(Counting(length), depth)
    assert [frame.index for frame in ahead] == list(range(length))
    assert [frame.index for frame in ahead] == list(range(length)), "it can be iterated again"
    assert len(ahead) == length
    wait_for_threads()


def test_it_reads_ahead_but_not_without_bound() -> None:
    source = Counting(1000)
    frames = iter(prefetch(source, depth=4))
    next(frames)
    end = time.monotonic() + 5
    while source.read < 6 and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.05)
    assert source.read == 6, "one taken, four waiting, one in hand"
    frames.close()  # type: ignore[attr-defined]
    wait_for_threads()


def test_errors_come_after_the_frames_before_them() -> None:
    seen = []
    with pytest.raises(UserError, match="cannot read frame 7"):
        for frame in prefetch(Counting(20, fail_at=7), depth=16):
            seen.append(frame.index)
    assert seen == list(range(7))
    wait_for_threads()


def test_leaving_early_ends_the_thread() -> None:
    for frame in prefetch(Counting(1000), depth=2):
        if frame.index == 3:
            break
    wait_for_threads()
    with pytest.raises(ZeroDivisionError):
        for _ in prefetch(Counting(1000), depth=2):
            raise ZeroDivisionError
    wait_for_threads()


ENDS_INSIDE = """
import sys, time
from rgbt_tracker.sequences import Frame, FrameSequence, SequenceInfo, prefetch

class Slow(FrameSequence):
    def frame(self, index):
        time.sleep(0.2)
        return Frame(index, None, None)
    def __iter__(self):
        try:
            yield from super().__iter__()
        finally:
            print("reader ended", flush=True)

frames = iter(prefetch(Slow(SequenceInfo("slow", 1000)), depth=4))
next(frames)
sys.exit(3)
"""


def test_a_program_that_ends_inside_the_loop_ends_the_thread_first() -> None:
    """A thread that is torn down inside a decoder aborts the process."""
    ended = subprocess.run([sys.executable, "-c", ENDS_INSIDE], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "reader ended\n", "")


def test_live_sources_are_passed_through() -> None:
    """They have threads of their own; reading ahead would make the frame in hand an old one."""
    source = Counting(None)
    for frame in prefetch(source):
        assert source.read == frame.index + 1
    assert source.read == LIVE


def test_frames_by_index_are_read_directly() -> None:
    assert prefetch(Counting(10)).frame(4).index == 4
