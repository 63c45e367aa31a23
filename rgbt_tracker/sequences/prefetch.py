"""Reading ahead: a thread decodes the next frames while the model works on this one."""

from __future__ import annotations

import atexit
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from rgbt_tracker.sequences.base import Derived, Frame, FrameSequence

DEPTH = 8
POLL = 0.05  # seconds between looks at the stop sign


@dataclass(frozen=True)
class _Failure:
    error: BaseException


class _End:
    """Marks the end of the source."""


Item = Frame | _Failure | _End


class ReadAhead(Derived):
    """A sequence whose iteration is fed by a thread; ``frame`` reads directly.

    A recorded source is read up to ``depth`` frames ahead and every frame arrives, in order. An error of the source is
    raised after the frames before it. Leaving the loop, for whatever reason, ends the thread. A live source reads its
    cameras by threads of its own, and is passed through.
    """

    def __init__(self, sequence: FrameSequence, depth: int = DEPTH) -> None:
        super().__init__(sequence)
        self._depth = max(1, depth)

    def __iter__(self) -> Iterator[Frame]:
        if self.live:
            yield from self._source
            return
        items: queue.Queue[Item] = queue.Queue(self._depth)
        stop = threading.Event()
        thread = threading.Thread(target=_fill, args=(self._source, items, stop), name="read-ahead", daemon=True)

        def end() -> None:
            stop.set()
            thread.join(timeout=10)

        # A program that ends inside the loop (Ctrl-C) may keep this generator to its very end, where a thread that is
        # torn down inside a decoder aborts the process.
        atexit.register(end)
        thread.start()
        try:
            while not isinstance(item := items.get(), _End):
                if isinstance(item, _Failure):
                    raise item.error
                yield item
        finally:
            atexit.unregister(end)
            end()


def prefetch(sequence: FrameSequence, depth: int = DEPTH) -> ReadAhead:
    """Return ``sequence`` with its frames read up to ``depth`` ahead by a thread."""
    return ReadAhead(sequence, depth)


def _fill(sequence: FrameSequence, items: queue.Queue[Item], stop: threading.Event) -> None:
    try:
        for frame in sequence:
            _wait(items, frame, stop)
            if stop.is_set():
                return
        _wait(items, _End(), stop)
    except BaseException as error:
        _wait(items, _Failure(error), stop)


def _wait(items: queue.Queue[Item], item: Item, stop: threading.Event) -> None:
    """Put the item when there is room, or give up when nobody wants it any more."""
    while not stop.is_set():
        try:
            items.put(item, timeout=POLL)
            return
        except queue.Full:
            continue
