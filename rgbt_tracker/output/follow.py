"""One target followed for a user: progress, window, video, Ctrl-C, and what is left in the folder of results."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from nestfuse_core.common import console
from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import Box
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.output.overlay import Overlay, Picture
from rgbt_tracker.output.recorder import Recorder, TimedTracker
from rgbt_tracker.output.summary import summarise
from rgbt_tracker.output.window import Window
from rgbt_tracker.results.maps import write_maps
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.results.write import write_results
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.sequences.live import Stoppable
from rgbt_tracker.tracking.interface import SingleObjectTracker
from rgbt_tracker.tracking.run import track_sequence


@dataclass(frozen=True)
class Request:
    """What is wanted of a run.

    Args:
        output: folder for the results.
        video: file for the overlay, or None.
        show: watch in a window.
        maps: show and keep the fusion weights of both cameras.
    """

    output: Path
    video: Path | None
    show: bool
    maps: bool


def follow(
    tracker: SingleObjectTracker,
    settings: TrackerConfig,
    frames: FrameSequence,
    start: Box | None,
    request: Request,
) -> list[str]:
    """Track ``frames`` to their end, or until the user stops a live source; writes what ``request`` names.

    Args:
        tracker: built from ``settings``.
        start: x, y, w, h in the first frame; None lets the user draw it, which needs ``request.show``.

    Returns:
        Lines for the user: the summary and the files written.

    Raises:
        UserError: no frame arrived.
    """
    info, timed = frames.info, TimedTracker(tracker)
    live = info.length is None
    with ExitStack() as stack:
        stack.callback(frames.close)
        window = stack.enter_context(Window()) if request.show else None
        source = Stoppable(frames)
        if start is None:
            assert window is not None
            start = _draw_box(source, window, settings)
        bar = stack.enter_context(console.progress())
        task = bar.add_task(info.name, total=info.length, note="Ctrl-C ends it" if live else "")
        recorder = Recorder(
            timed,
            settings,
            info,
            start,
            video=request.video,
            window=window,
            keep_maps=request.maps,
            on_progress=lambda: bar.advance(task),
            on_stop=source.stop if live else _interrupt,
        )
        began = time.perf_counter()
        with _ending_with(source.stop if live else None), recorder:
            result = track_sequence(timed, source, start, recorder.on_frame)
        elapsed = time.perf_counter() - began
    return _write(result, recorder, settings, info, elapsed, request)


def _interrupt() -> None:
    raise KeyboardInterrupt


@contextmanager
def _ending_with(stop: Callable[[], None] | None) -> Iterator[None]:
    """A live source has no end of its own: Ctrl-C ends it, and what was tracked is kept."""
    if stop is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _draw_box(source: Stoppable, window: Window, settings: TrackerConfig) -> Box:
    """Let the user draw the first box; a live source runs until space is pressed, and starts on that frame."""

    def picture(frame: Frame) -> list[Picture]:
        return list(Overlay(settings).pictures(frame).values())

    console.stderr.print("Draw a box around the target and press space or Enter (a live picture: space first).")
    frame = source.choose_start(lambda frame: window.confirm(picture(frame)[0]))
    return window.select(picture(frame))


def _write(
    track: Trajectory, recorder: Recorder, settings: TrackerConfig, info: SequenceInfo, elapsed: float, request: Request
) -> list[str]:
    if not len(track.boxes):
        raise UserError(f"No frame arrived from '{info.source}', so there is nothing to write.")
    if request.maps:
        write_maps(request.output / f"{info.name}_maps.npz", recorder.maps, recorder.search_boxes)
    files = write_results(request.output, info.name, track)
    lines = [summarise(track, info.truth_for(settings.modality), settings.tracking.lost_below, info.name, elapsed)]
    lines.append(f"results: {', '.join(map(str, files))}")
    return [*lines, f"video: {request.video}"] if request.video else lines
