"""Sources that a user starts and stops by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from itertools import chain

from nestfuse_core.common.errors import UserError
from rgbt_tracker.sequences.base import Derived, Frame, FrameSequence
from rgbt_tracker.sequences.prefetch import prefetch


class Stoppable(Derived):
    """A sequence, read ahead, that ends when ``stop`` is called and may start at a frame the user chose."""

    def __init__(self, sequence: FrameSequence) -> None:
        super().__init__(prefetch(sequence))
        self._stopped = threading.Event()
        self._begun: Iterator[Frame] | None = None

    def stop(self) -> None:
        """End the iteration after the current frame."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopped.is_set()

    def choose_start(self, chosen: Callable[[Frame], bool]) -> Frame:
        """Return the frame the iteration will start with: the first, or of a live source the first that is chosen.

        Raises:
            UserError: the source ended before.
        """
        frames = iter(self._source)
        for frame in frames:
            if not self.live or chosen(frame):
                self._begun = chain([frame], frames)
                return frame
        raise UserError(f"No frame arrived from '{self.info.source}' to draw a box on.")

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(self) -> Generator[Frame]:
        """The iteration, which can be closed; those of a live source are counted from the one it starts with."""
        frames = self._begun if self._begun is not None else iter(self._source)
        self._begun = None
        for index, frame in enumerate(frames):
            yield replace(frame, index=index) if self.live else frame
            if self._stopped.is_set():
                return
