"""What every source of RGB-thermal frames looks like to the tracker, the evaluators and the report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.generic]


@dataclass(frozen=True)
class Frame:
    """One instant of both cameras.

    Attributes:
        index: 0-based position in the sequence.
        rgb: HxWx3 uint8 BGR, or None where the source has no visible camera.
        ir: HxW or HxWx3, uint8, uint16 or float32, or None where the source has no thermal camera.
    """

    index: int
    rgb: Image | None
    ir: Image | None


@dataclass
class SequenceInfo:
    """Facts about a sequence that are known before a frame is read.

    Attributes:
        name: file-name-safe name.
        length: number of frames, or None for a live source.
        fps: nominal frames per second.
        groundtruth: (length, 4) boxes x, y, w, h, NaN where the target is absent; or None when unknown. Where a
            benchmark annotates both cameras, this is the one it starts trackers from.
        tags: attribute name -> (length,) bool per frame.
        source: where it came from, for messages.
        groundtruths: "rgb" and "ir" -> ground truth in that camera's pixels, where a benchmark has both.
        labelled: (length,) bool, the frames that an annotator looked at; None when it is all of them.
        init: x, y, w, h of the first frame where only that is known.
        files: "groundtruth", "rgb", "ir" -> the annotation file behind it, as its authors wrote it.
        notes: what a user should know about how the source was read.
    """

    name: str
    length: int | None
    fps: float = 30.0
    groundtruth: NDArray[np.float64] | None = None
    tags: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    source: str = ""
    groundtruths: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    labelled: NDArray[np.bool_] | None = None
    init: tuple[float, float, float, float] | None = None
    files: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def start_box(self) -> tuple[float, float, float, float] | None:
        """Where a tracker can start: x, y, w, h of the first frame, or None when nobody has said."""
        return self.start_for("rgbt")

    def truth_for(self, modality: str) -> NDArray[np.float64] | None:
        """The ground truth a tracker of that modality is compared with: a single camera's own where there is one."""
        return self.groundtruths.get(modality, self.groundtruth)

    def start_for(self, modality: str) -> tuple[float, float, float, float] | None:
        """Where a tracker of that modality ("rgbt", "rgb", "ir") can start: x, y, w, h, or None."""
        truth = self.truth_for(modality)
        if truth is None or not len(truth):
            return self.init
        x, y, w, h = (float(value) for value in truth[0])
        return None if np.isnan(x) else (x, y, w, h)


class FrameSequence(ABC):
    """Frames by index (recorded) or in order (live). Iterating yields every frame once, in order."""

    def __init__(self, info: SequenceInfo) -> None:
        self.info = info

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def groundtruth(self) -> NDArray[np.float64] | None:
        return self.info.groundtruth

    def __len__(self) -> int:
        if self.info.length is None:
            raise TypeError(f"'{self.name}' is a live source and has no length")
        return self.info.length

    @abstractmethod
    def frame(self, index: int) -> Frame:
        """Read frame ``index`` (0-based). Raises UserError naming the file if it cannot be read."""

    def __iter__(self) -> Iterator[Frame]:
        for index in range(len(self)):
            yield self.frame(index)
