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
from rgbt_tracker.output.overlay import Caption, Mark, Overlay
from rgbt_tracker.output.window import Window
from rgbt_tracker.sequences.base import Frame, SequenceInfo
from rgbt_tracker.tracking.run import SeveralStep, Step

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
        several: whether there are several targets; the ground truth, which is that of one, is then not shown.
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
        several: bool = False,
        keep_maps: bool = False,
        on_progress: Callable[[], None] = lambda: None,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._info = info
        self._overlay = Overlay(config, None if several else info.truth_for(config.modality), fuse)
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
        result, frame = step.result, step.frame
        if self._keep_maps:
            self.maps.append(result.maps)
            self.search_boxes.append(result.search_box)
        seconds = 0.0 if step.given else step.seconds
        caption = Caption(frame.index, self._info.length, result.score, seconds, result.cameras)
        self._show(frame, [Mark(result.box, result.lost)], caption, result.maps, result.search_box)

    def take_several(self, step: SeveralStep) -> None:
        """Take note of one frame of several targets."""
        marks = [Mark(result.box, result.lost, number) for number, result in step.results.items()]
        self._show(step.frame, marks, Caption(step.frame.index, self._info.length, None, step.seconds))

    def _show(
        self,
        frame: Frame,
        marks: list[Mark],
        caption: Caption,
        maps: dict[str, NDArray[np.float32]] | None = None,
        search: Box | None = None,
    ) -> None:
        if self._writer or self._window:
            picture = self._overlay(frame, marks, caption, maps, search)
            if self._writer:
                self._writer.write(picture)
            if self._window and not self._window.show(picture):
                self._on_stop()
        self._on_progress()
