"""Where a frame's time goes: seconds by section of the network and of the tracking loop."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol


class Timer(Protocol):
    """Anything that opens a timed section: ``with timer("backbone"): ...``."""

    def __call__(self, section: str) -> AbstractContextManager[None]: ...


class SectionTimer:
    """Collect seconds by section; ``timer.seconds`` holds one list a section.

    On CUDA each section ends with a synchronisation, so use it to measure, not to track.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def __call__(self, section: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            torch.cuda.synchronize()
        self.seconds[section].append(time.perf_counter() - start)


class NoTimer:
    """The default: measures nothing and costs next to nothing."""

    def __call__(self, section: str) -> AbstractContextManager[None]:
        return nullcontext()
