"""Processes that other processes started: they end with them, and leave Ctrl-C to them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from typing import Any

SECONDS = 0.5
"""Between two looks at whether the parent still lives."""
MOST_THREADS = 1024
"""That a user may ask for: with many thousands, torch's thread pool ends in a segmentation fault."""


def end_with_parent(stop: Any = None) -> None:
    """End this process soon after the one that started it has ended, however that was (on Windows: after ``stop``).

    A worker waits for work, and would do so for ever, with all the memory that it has taken.

    Args:
        stop: an event of `multiprocessing` that ends it too, whatever it is busy with.
    """
    known = parent_process()
    parent = os.getppid() if known is None or known.pid is None else known.pid
    wait = time.sleep if stop is None else stop.wait
    threading.Thread(target=_watch, args=(parent, wait), name="parent", daemon=True).start()


def _watch(parent: int, wait: Callable[[float], bool | None]) -> None:
    # Windows goes on telling the number of a parent that is gone.
    while os.getppid() == parent and not wait(SECONDS):
        pass
    os._exit(1)


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """While it holds, Ctrl-C waits; processes started meanwhile never see it: it is for their parent to end them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
