"""A sequence whose thermal pictures lie on the visible ones, as the file of its rig says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nestfuse_core.rig.file import Rig
from nestfuse_core.rig.lay import Laying
from rgbt_tracker.sequences.base import Derived, Frame, FrameSequence


class Rigged(Derived):
    """Frames with the thermal picture in the visible one's pixels; where it shows nothing it counts for nothing.

    A frame without a visible picture is laid on pixels of the last one's size, before there was one of the size in the
    rig's file.
    """

    def __init__(self, source: FrameSequence, rig: Rig) -> None:
        super().__init__(source)
        self._laying = Laying(rig)
        self._size = rig.visible

    @property
    def source(self) -> FrameSequence:
        """The sequence as it was before."""
        return self._source

    def frame(self, index: int) -> Frame:
        return self._laid(self._source.frame(index))

    def __iter__(self) -> Iterator[Frame]:
        return map(self._laid, self._source)

    def first_of_both(self) -> int:
        return self._source.first_of_both()

    def _laid(self, frame: Frame) -> Frame:
        if frame.rgb is not None:
            self._size = frame.rgb.shape[1], frame.rgb.shape[0]
        if frame.ir is None or self._size is None:
            return frame
        return replace(frame, ir=self._laying.for_tracking(frame.ir, self._size))


def unlaid(sequence: FrameSequence) -> FrameSequence:
    """The sequence with its thermal pictures as the camera took them."""
    return sequence.source if isinstance(sequence, Rigged) else sequence


def lay(sequence: FrameSequence, rig: Rig | None) -> FrameSequence:
    """The sequence with its thermal pictures laid on the visible ones; itself where nothing says how, or one camera."""
    return sequence if rig is None or len(sequence.cameras) < 2 or not rig.lays else Rigged(sequence, rig)
