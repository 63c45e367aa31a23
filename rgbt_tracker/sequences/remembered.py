"""Frames kept in memory, for a sequence that is run over several times."""

from __future__ import annotations

from rgbt_tracker.sequences.base import Frame, FrameSequence


class Remembered(FrameSequence):
    """The frames of ``source``, each decoded or drawn once."""

    def __init__(self, source: FrameSequence) -> None:
        super().__init__(source.info)
        self._source = source
        self._frames: dict[int, Frame] = {}

    def frame(self, index: int) -> Frame:
        if index not in self._frames:
            self._frames[index] = self._source.frame(index)
        return self._frames[index]
