"""Reading and writing by a thread each while the main one computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")

WAITING = 2
"""Results that may wait to be written before the main thread does."""


def ahead(load: Callable[[Item], Loaded], items: Iterable[Item]) -> Generator[tuple[Item, Loaded], None, None]:
    """Yield every item with what ``load`` returned for it; a thread loads the next one meanwhile.

    Items are loaded one after the other, in order. What ``load`` raises is raised when it is the item's turn. Close the
    iterator (`contextlib.closing`) before what it reads from is closed.
    """
    with ThreadPoolExecutor(1, "read-ahead") as pool:
        waiting: deque[tuple[Item, Future[Loaded]]] = deque()
        for item in items:
            waiting.append((item, pool.submit(load, item)))
            if len(waiting) > 1:
                first, future = waiting.popleft()
                yield first, future.result()
        for item, future in waiting:
            yield item, future.result()


class Behind:
    """Context manager that calls functions in a thread, in order; what one raises comes by the end at the latest."""

    def __enter__(self) -> Behind:
        self._pool = ThreadPoolExecutor(1, "write-behind")
        self._waiting: deque[Future[None]] = deque()
        return self

    def __call__(self, work: Callable[..., None], *arguments: Any) -> None:
        """Have ``work`` called soon."""
        self._waiting.append(self._pool.submit(work, *arguments))
        while len(self._waiting) > WAITING:
            self._waiting.popleft().result()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        if error is None:
            for future in self._waiting:
                future.result()
