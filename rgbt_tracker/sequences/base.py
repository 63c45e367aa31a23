"""What every source of RGB-thermal frames looks like to the tracker, the evaluators and the report."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.names import safe_name
from nestfuse_core.common.pictures import Image


@dataclass(frozen=True)
class Frame:
    """One instant of both cameras.

    Attributes:
        index: 0-based position in the sequence.
        rgb: HxWx3 uint8 BGR, or None where the source has no visible camera.
        ir: HxW or HxWx3, uint8, uint16 or float32, or None where the source has no thermal camera.
        time: seconds since the first frame of the sequence, or None where its sources have no times.
        rgb_index, ir_index: which picture of its own source each is, 0-based; a picture that is the nearest partner of
            several frames stands in all of them. None where there is no picture, or it was not paired by a source.
        faults: "rgb", "ir" -> why the picture that this camera delivered was taken away: it is no evidence
            (`rgbt_tracker.sequences.watched`).
    """

    index: int
    rgb: Image | None
    ir: Image | None
    time: float | None = None
    rgb_index: int | None = None
    ir_index: int | None = None
    faults: dict[str, str] = field(default_factory=dict)

    def picture(self, camera: str) -> Image | None:
        """The picture of camera "rgb" or "ir"."""
        return {"rgb": self.rgb, "ir": self.ir}[camera]

    @property
    def nbytes(self) -> int:
        """Bytes that the pictures take in memory."""
        return sum(image.nbytes for image in (self.rgb, self.ir) if image is not None)


@dataclass
class SequenceInfo:
    """Facts about a sequence that are known before a frame is read.

    Attributes:
        name: of its files; whatever it is set to passes through `safe_name`.
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

    def __setattr__(self, attribute: str, value: Any) -> None:
        super().__setattr__(attribute, safe_name(value) if attribute == "name" else value)

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

    def part(self, start: int, stop: int) -> SequenceInfo:
        """The facts about frames ``start`` to ``stop`` - 1 alone, numbered from 0."""
        span = slice(start, stop)
        return replace(
            self,
            length=stop - start,
            groundtruth=None if self.groundtruth is None else self.groundtruth[span],
            tags={name: flags[span] for name, flags in self.tags.items()},
            groundtruths={camera: truth[span] for camera, truth in self.groundtruths.items()},
            labelled=None if self.labelled is None else self.labelled[span],
            init=self.init if start == 0 else None,
        )


class ByteBudget:
    """Bytes that frames may take in memory, shared by the sequences it is given to; safe to use from threads."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Take ``count`` bytes; False, and nothing taken, where fewer are left."""
        with self._lock:
            if count > self._left:
                return False
            self._left -= count
            return True


class FrameSequence(ABC):
    """Frames by index (recorded) or in order (live). Iterating yields every frame once, in order.

    A context manager that closes the sequence at its end.

    Attributes:
        info: what is known before a frame is read.
        cameras: those that deliver pictures, of "rgb" and "ir".
        size: (width, height) of the pictures where that is known without reading one.
    """

    cameras: tuple[str, ...] = ("rgb", "ir")
    size: tuple[int, int] | None = None

    def __init__(self, info: SequenceInfo) -> None:
        self.info = info

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def fps(self) -> float:
        """Nominal frames per second."""
        return self.info.fps

    @property
    def live(self) -> bool:
        """Whether frames only come in order, from cameras, and nobody knows how many."""
        return self.info.length is None

    @property
    def groundtruth(self) -> NDArray[np.float64] | None:
        """(length, 4) boxes x, y, w, h, NaN where the target is absent; None when unknown."""
        return self.info.groundtruth

    @property
    def broken(self) -> bool:
        """Whether a live source ended by itself, so that there are fewer frames than the user asked for."""
        return False

    def summary(self) -> list[str]:
        """Lines about how a live source fared, for the end of a run; none by default."""
        return []

    def stop(self) -> None:
        """End the iteration of a live source, also while it waits for a frame; safe to call from a signal handler."""
        return

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

    def first_of_both(self) -> int:
        """The first frame that has pictures of both cameras; 0 where every frame has, or there is one camera."""
        return 0

    def close(self) -> None:
        """Release files and devices; nothing by default."""
        return

    def __enter__(self) -> FrameSequence:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def clip(self, start: int, length: int | None = None) -> Clip:
        """Return ``length`` frames (all, by default, and at most what there is) from frame ``start`` on, as a sequence.

        Raises:
            UserError: no frame would be left.
        """
        return Clip(self, start, length)

    def cached(self, budget_bytes: int | ByteBudget | None = None) -> Cached:
        """Return the same sequence with its frames kept in memory once they were read.

        Args:
            budget_bytes: how much memory frames may take, a number for this sequence or one that several share; no
                limit by default. The frames that are read first are kept and the others read again every time: a
                sequence is mostly run over from its beginning, where keeping the last ones would never serve.
        """
        return Cached(self, budget_bytes)


class Derived(FrameSequence):
    """A sequence made from another, with its cameras; closing it closes the other."""

    def __init__(self, source: FrameSequence, info: SequenceInfo | None = None) -> None:
        super().__init__(info or source.info)
        self.cameras, self.size = source.cameras, source.size
        self._source = source

    @property
    def broken(self) -> bool:
        return self._source.broken

    def summary(self) -> list[str]:
        return self._source.summary()

    def stop(self) -> None:
        self._source.stop()

    def frame(self, index: int) -> Frame:
        return self._source.frame(index)

    def close(self) -> None:
        self._source.close()


class Clip(Derived):
    """Some frames of a recorded sequence, numbered from 0; see `FrameSequence.clip`."""

    def __init__(self, source: FrameSequence, start: int, length: int | None = None) -> None:
        count = len(source)
        stop = count if length is None else min(start + length, count)
        if not 0 <= start < stop:
            asked = f"frame {start} on" if length is None else f"{length} frames from frame {start} on"
            raise UserError(f"Expected frames from 0 to {count - 1} of '{source.name}', got {asked}.")
        super().__init__(source, source.info.part(start, stop))
        self._start = start

    def frame(self, index: int) -> Frame:
        if not 0 <= index < len(self):
            raise UserError(f"Expected a frame from 0 to {len(self) - 1} of '{self.name}', got {index}.")
        return replace(self._source.frame(index + self._start), index=index)


class Tail(Derived):
    """A recorded sequence whose iteration begins at frame ``start``; frames keep their numbers, and the facts stay."""

    def __init__(self, source: FrameSequence, start: int) -> None:
        super().__init__(source)
        self._start = start

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._start, len(self)):
            yield self.frame(index)


class Cached(Derived):
    """A recorded sequence that keeps what it read; see `FrameSequence.cached`. Threads may share it."""

    def __init__(self, source: FrameSequence, budget: int | ByteBudget | None = None) -> None:
        super().__init__(source)
        self._budget = ByteBudget(budget) if isinstance(budget, int) else budget
        self._kept: dict[int, Frame] = {}
        self._lock = threading.Lock()

    def frame(self, index: int) -> Frame:
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        # Sources hold a place in their file, so that one thread reads at a time.
        with self._lock:
            if index not in self._kept:
                frame = self._source.frame(index)
                if self._budget is not None and not self._budget.take(frame.nbytes):
                    return frame
                self._kept[index] = frame
            return self._kept[index]
