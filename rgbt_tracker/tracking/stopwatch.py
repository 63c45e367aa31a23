"""Where a frame's time goes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch


class Stopwatch:
    """Collect seconds by section: ``with stopwatch("backbone"): ...``; ``stopwatch.seconds`` holds one list a section.

    On CUDA each section ends with a synchronisation, so use it to measure, not to track.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def __call__(self, section: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.seconds[section].append(time.perf_counter() - start)


class NoStopwatch:
    """The default: measures nothing and costs next to nothing."""

    def __call__(self, section: str) -> AbstractContextManager[None]:
        return nullcontext()
