"""Run the toolkit's experiments in this process: no TraX, frames read ahead, deterministic repetitions replayed.

Importing this module needs vot-toolkit.
"""

from __future__ import annotations

import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from vot.dataset import Frame
from vot.tracker import ObjectStatus, OnlineTrackerRuntime, Tracker, TrackerException

from nestfuse_core.common.errors import UserError
from rgbt_tracker.results.regions import transported
from rgbt_tracker.vot import toolkit
from rgbt_tracker.vot.session import Session

CHECKED_FRAMES = 10
Files = dict[str, Path]
Answer = tuple[Any, str]


@dataclass
class Replay:
    """Answers of a first repetition, for those that follow.

    The protocol repeats a sequence to see whether the tracker is deterministic. A later repetition starts the tracker
    again wherever the first did and compares ``checked`` answers, bit by bit; if they agree the rest of that fragment
    is taken from the first repetition. One difference ends replaying for good, and everything is run.
    """

    checked: int = CHECKED_FRAMES
    deterministic: bool = True
    _fragments: dict[Any, list[tuple[Files, Answer]]] = field(default_factory=dict)
    _recording: list[tuple[Files, Answer]] | None = None
    _known: list[tuple[Files, Answer]] | None = None
    _position: int = 0

    def start(self, files: Files, region: np.ndarray) -> None:
        """The tracker was started on a frame."""
        key = (tuple(sorted(files.items())), region.tobytes())
        self._known = self._fragments.get(key) if self.deterministic else None
        self._recording = None if self._known else self._fragments.setdefault(key, [])
        self._position = 0

    def answer(self, files: Files) -> Answer | None:
        """The known answer on a frame, or None when the tracker has to be asked."""
        if self._known is None or self._position < self.checked or self._position >= len(self._known):
            return None
        expected, answer = self._known[self._position]
        if expected != files:
            return None
        self._position += 1
        return answer

    def compare(self, files: Files, answer: Answer) -> None:
        """The tracker has answered: remember it, or compare it with the first repetition's."""
        if self._recording is not None:
            self._recording.append((files, answer))
        elif self._known is not None and self._position < len(self._known):
            expected, known = self._known[self._position]
            same = expected == files and known[1] == answer[1] and np.array_equal(known[0], answer[0])
            self._position += 1
            if not same:
                self.deterministic, self._known = False, None


class InProcessRuntime(OnlineTrackerRuntime):
    """The interface of the toolkit's TraX runtime on a session in this process."""

    def __init__(self, tracker: Tracker, session: Session, replay: Replay | None, read_ahead: bool) -> None:
        super().__init__(tracker)
        self._session = session
        self._replay = replay
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="read-ahead") if read_ahead else None
        self._next: tuple[Files, Future[Any]] | None = None

    def initialize(self, frame: Frame, new: Any = None) -> tuple[list[ObjectStatus], float]:
        region = transported(toolkit.to_array(new[0].region))  # type: ignore[arg-type]
        files = self._files(frame)
        start = time.perf_counter()
        self._guard(frame, lambda: self._session.initialize(self._images(frame, files), region))
        seconds = time.perf_counter() - start
        if self._replay:
            self._replay.start(files, region)
        return [ObjectStatus(new[0].region, {})], seconds

    def update(self, frame: Frame, new: Any = None) -> tuple[list[ObjectStatus], float]:
        files = self._files(frame)
        answer = self._replay.answer(files) if self._replay else None
        seconds = float("nan")  # of a replayed frame: nothing was measured
        if answer is None:
            start = time.perf_counter()
            answer = self._guard(frame, lambda: self._session.update(self._images(frame, files)))
            seconds = time.perf_counter() - start
            if self._replay:
                self._replay.compare(files, answer)
        values, confidence = answer
        return [ObjectStatus(toolkit.to_region(values), {"confidence": confidence})], seconds

    def stop(self) -> None:
        if self._reader:
            self._reader.shutdown(wait=True, cancel_futures=True)

    def restart(self) -> None:
        """A session starts afresh with every initialisation."""

    def _files(self, frame: Frame) -> Files:
        names = {channel: frame.filename(channel) for channel in self._session.channels}
        for channel, name in names.items():
            if name is None:
                raise UserError(f"The sequence '{frame.sequence.name}' has no channel '{channel}'.")
        return {channel: Path(name) for channel, name in names.items()}

    def _images(self, frame: Frame, files: Files) -> dict[str, Any]:
        """Images of the frame, which the reader may have by now; the reader goes on with the next frame."""
        if self._reader is None:
            return self._session.read(files)
        ready = (
            self._next[1] if self._next and self._next[0] == files else self._reader.submit(self._session.read, files)
        )
        images = ready.result()
        self._next = None
        if frame.index + 1 < len(frame.sequence):
            following = self._files(frame.sequence.frame(frame.index + 1))
            self._next = (following, self._reader.submit(self._session.read, following))
        return images

    def _guard(self, frame: Frame, work: Any) -> Any:
        """Bad input stays a UserError; a failing tracker becomes what the toolkit expects, with its traceback."""
        try:
            return work()
        except UserError:
            raise
        except Exception as error:
            message = f"{type(error).__name__} at frame {frame.index}: {error}"
            raise TrackerException(message, tracker=self.tracker, tracker_log=traceback.format_exc()) from error


class InProcessTracker(Tracker):
    """A toolkit tracker whose runtime is a session in this process; results go where the original's go."""

    _session: Session
    _can_replay: bool
    _read_ahead: bool

    @classmethod
    def of(
        cls, tracker: Tracker, session: Session, *, replay: bool = True, read_ahead: bool = True
    ) -> InProcessTracker:
        """Wrap a tracker of the registry. For realtime experiments neither replay nor read ahead: both hide time."""
        local = cls.__new__(cls)
        local.__dict__.update(tracker.__dict__)
        local._session, local._can_replay, local._read_ahead = session, replay, read_ahead
        return local

    def runtime(self, log: bool = False) -> InProcessRuntime:
        return InProcessRuntime(self, self._session, Replay() if self._can_replay else None, self._read_ahead)
