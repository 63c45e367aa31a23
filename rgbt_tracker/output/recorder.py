"""What happens with every tracked frame: progress, overlay video, window, weight maps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.video import VIEWING, VideoWriter, writing_video
from rgbt_tracker.boxes import Box
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.output.overlay import Caption, Overlay
from rgbt_tracker.output.window import Window
from rgbt_tracker.sequences.base import SequenceInfo
from rgbt_tracker.tracking.run import Step

if TYPE_CHECKING:
    from nestfuse_core.fusion.fuser import VideoFuser


class Recorder:
    """Context manager that takes every `rgbt_tracker.tracking.run.Step` of a run.

    Args:
        config: of the tracker.
        info: of the sequence.
        video: file to write the overlay to, or None.
        window: where to show it, or None.
        fuse: makes the fused picture that overlay and window show beside the cameras', or None.
        keep_maps: collect the fusion weight maps in ``maps``.
        on_progress: called after every frame.
        on_stop: called when the user closed the window.
    """

    def __init__(
        self,
        config: TrackerConfig,
        info: SequenceInfo,
        *,
        video: Path | None = None,
        window: Window | None = None,
        fuse: VideoFuser | None = None,
        keep_maps: bool = False,
        on_progress: Callable[[], None] = lambda: None,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._info = info
        self._overlay = Overlay(config, info.truth_for(config.modality), fuse)
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

    def take(self, step: Step) -> None:
        """Take note of one frame."""
        if self._keep_maps:
            self.maps.append(step.result.maps)
            self.search_boxes.append(step.result.search_box)
        if self._writer or self._window:
            picture = self._draw(step)
            if self._writer:
                self._writer.write(picture)
            if self._window and not self._window.show(picture):
                self._on_stop()
        self._on_progress()

    def _draw(self, step: Step) -> NDArray[np.uint8]:
        result, frame = step.result, step.frame
        seconds = 0.0 if step.given else step.seconds
        caption = Caption(frame.index, self._info.length, result.score, result.lost, seconds, result.cameras)
        return self._overlay(frame, result.box, caption, result.maps, result.search_box)
