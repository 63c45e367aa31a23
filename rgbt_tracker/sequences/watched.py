"""A pair of cameras with somebody who looks at whether their pictures are evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from nestfuse_core.cameras.names import CAMERAS
from nestfuse_core.cameras.watch import PairWatch
from rgbt_tracker.sequences.base import Derived, Frame, FrameSequence

WORDS = {
    "frozen": "frozen",
    "black": "black",
    "white": "white",
    "flat": "of one grey level",
    "noise": "of nothing but noise",
    "torn": "torn",
}
"""Faults (`nestfuse_core.cameras.watch.FAULTS`) in a sentence."""


LEAD = 60
"""Frames before the first one asked for that are looked at too, so that it is known what is usual."""


class Watched(Derived):
    """A sequence in whose frames a camera that lies has no picture; ``faults`` of a frame says why.

    Frames are judged in their order, each once. One further on is judged after the `LEAD` frames before it alone, as
    if all had been looked at (a camera that froze even before them is found out a little later).

    Attributes:
        found: frame -> camera -> fault, of the frames judged so far that have one.
    """

    def __init__(self, source: FrameSequence) -> None:
        super().__init__(source)
        self.found: dict[int, dict[str, str]] = {}
        self._watch = PairWatch()
        self._judged = range(0)

    def frame(self, index: int) -> Frame:
        if index not in self._judged and index != self._judged.stop:
            self._watch, self._judged = PairWatch(), range(index, index)
            for before in range(max(0, index - LEAD), index):
                self._look(self._source.frame(before))
        return self._judge(self._source.frame(index))

    def __iter__(self) -> Iterator[Frame]:
        return map(self._judge, self._source) if self.live else super().__iter__()

    def summary(self) -> list[str]:
        """As the source's, and a line a camera and fault: "thermal camera: 30 frames frozen (frames 30 to 59)"."""
        return [*self._source.summary(), *fault_lines(self.found)]

    def _look(self, frame: Frame) -> dict[str, str]:
        indices = {"rgb": frame.rgb_index, "ir": frame.ir_index}
        return self._watch({"rgb": frame.rgb, "ir": frame.ir}, indices)

    def _judge(self, frame: Frame) -> Frame:
        if frame.index not in self._judged:
            self._judged = range(self._judged.start, frame.index + 1)
            self.found.pop(frame.index, None)
            if found := self._look(frame):
                self.found[frame.index] = found
        faults = self.found.get(frame.index)
        return replace(frame, faults=faults, **dict.fromkeys(faults)) if faults else frame  # type: ignore[arg-type]


def watch(sequence: FrameSequence) -> Watched:
    """Return ``sequence`` without the pictures that are no evidence, for a tracker that uses both cameras."""
    return Watched(sequence)


def fault_lines(found: dict[int, dict[str, str]]) -> list[str]:
    """Frame (0-based) -> camera -> fault, as lines for the user."""
    counts = Counter((camera, fault) for faults in found.values() for camera, fault in faults.items())
    lines = []
    for (camera, fault), count in counts.items():
        frames = sorted(index for index, faults in found.items() if faults.get(camera) == fault)
        noun = "frame" if count == 1 else "frames"
        lines.append(f"{CAMERAS[camera]} camera: {count} {noun} {WORDS[fault]} ({noun} {_spans(frames)})")
    return lines


def _spans(frames: Iterable[int]) -> str:
    """Ascending numbers -> "3, 31 to 60"; the first few spans of many."""
    groups = [
        [number for _, number in group] for _, group in groupby(enumerate(frames), lambda pair: pair[1] - pair[0])
    ]
    spans = [f"{group[0]} to {group[-1]}" if len(group) > 1 else str(group[0]) for group in groups]
    return ", ".join(spans[:6]) + (", ..." if len(spans) > 6 else "")
