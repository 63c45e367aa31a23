"""What happens with every tracked frame: progress, overlay video, window, weight maps."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.video import VIEWING, VideoWriter, writing_video
from rgbt_tracker.boxes import Box
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.frames import Frame, SequenceInfo
from rgbt_tracker.output.overlay import Caption, Overlay
from rgbt_tracker.output.window import Window
from rgbt_tracker.tracking.interface import Result, SingleObjectTracker

Answer = TypeVar("Answer")


class TimedTracker:
    """A tracker that remembers how long its last call took, in ``seconds``."""

    def __init__(self, tracker: SingleObjectTracker) -> None:
        self._tracker = tracker
        self.seconds = 0.0

    def initialize(self, rgb: ArrayLike | None, ir: ArrayLike | None, box: ArrayLike) -> None:
        """As the tracker's."""
        self._timed(self._tracker.initialize, rgb, ir, box)

    def update(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> Result:
        """As the tracker's."""
        return self._timed(self._tracker.update, rgb, ir)

    def _timed(self, call: Callable[..., Answer], *arguments: ArrayLike | None) -> Answer:
        start = time.perf_counter()
        result = call(*arguments)
        self.seconds = time.perf_counter() - start
        return result


class Recorder:
    """Context manager whose ``on_frame`` is handed to `rgbt_tracker.tracking.run.track_sequence`.

    Args:
        tracker: runs, and tells its seconds.
        config: of the tracker.
        info: of the sequence.
        box: x, y, w, h of the first frame.
        video: file to write the overlay to, or None.
        window: where to show it, or None.
        keep_maps: collect the fusion weight maps in ``maps``.
        on_progress: called after every frame.
        on_stop: called when the user closed the window.
    """

    def __init__(
        self,
        tracker: TimedTracker,
        config: TrackerConfig,
        info: SequenceInfo,
        box: Box,
        *,
        video: Path | None = None,
        window: Window | None = None,
        keep_maps: bool = False,
        on_progress: Callable[[], None] = lambda: None,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._tracker, self._info, self._box = tracker, info, box
        self._overlay = Overlay(config, info.truth_for(config.modality))
        self._video = video
        self._writer: VideoWriter | None = None
        self._window = window
        self._keep_maps, self._on_progress, self._on_stop = keep_maps, on_progress, on_stop
        self._open = ExitStack()
        self.maps: list[dict[str, NDArray[np.float32]] | None] = []
        self.search_boxes: list[Box | None] = []

    def __enter__(self) -> Recorder:
        if self._video:
            self._writer = self._open.enter_context(writing_video(self._video, self._info.fps, VIEWING))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._open.__exit__(kind, error, trace)

    def on_frame(self, frame: Frame, result: Result | None) -> None:
        """Take note of one frame; ``result`` is None for the first."""
        if self._keep_maps:
            self.maps.append(result.maps if result else None)
            self.search_boxes.append(result.search_box if result else None)
        if self._writer or self._window:
            picture = self._draw(frame, result or Result(self._box, 1.0))
            if self._writer:
                self._writer.write(picture)
            if self._window and not self._window.show(picture):
                self._on_stop()
        self._on_progress()

    def _draw(self, frame: Frame, result: Result) -> NDArray[np.uint8]:
        caption = Caption(frame.index, self._info.length, result.score, result.lost, self._tracker.seconds)
        return self._overlay(frame, result.box, caption, result.maps, result.search_box)
