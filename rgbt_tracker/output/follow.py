"""Targets followed for a user: progress, window, video, Ctrl-C, and what is left in the folder of results."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from nestfuse_core.common import console
from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.output.log import Log
from rgbt_tracker.output.overlay import Overlay, Picture
from rgbt_tracker.output.plan import Plan
from rgbt_tracker.output.recorder import Recorder
from rgbt_tracker.output.request import Counted, Outcome, Request
from rgbt_tracker.output.resume import StateKeeper, fingerprint, state_path
from rgbt_tracker.output.several import SeveralRun, check_boxes
from rgbt_tracker.output.summary import stopped_line, summarise
from rgbt_tracker.output.window import Window
from rgbt_tracker.results.maps import write_maps
from rgbt_tracker.results.write import write_results
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo, Tail
from rgbt_tracker.sequences.live import Stoppable
from rgbt_tracker.tracking.run import Step, begin, go_on

if TYPE_CHECKING:
    from rgbt_tracker.tracking.tracker import Tracker


def follow(tracker: Tracker, settings: TrackerConfig, frames: FrameSequence, plan: Plan, request: Request) -> Outcome:
    """Track ``frames`` to their end, or until the user or an error stops it; writes what ``request`` names.

    What was tracked is kept however the run ends. Of a recorded sequence that was not tracked to its end the state is
    kept too (`rgbt_tracker.output.resume`), so that another run can go on from there.

    Args:
        tracker: built from ``settings``.
        plan: where to begin, with which boxes; without one for the first frame the user draws them, which needs
            ``request.show``.

    Raises:
        UserError: no frame arrived, or the first one cannot be tracked; then nothing is written.
    """
    info = frames.info
    with ExitStack() as stack:
        stack.callback(frames.close)
        window = stack.enter_context(Window()) if request.show else None
        source = Stoppable(Tail(frames, plan.start) if plan.start else frames)
        if not plan.several and plan.start not in plan.given:
            assert window is not None
            plan = _drawn(plan, source, window, settings)
        bar = stack.enter_context(console.progress())
        task = bar.add_task(info.name, total=info.length, completed=plan.start, note="Ctrl-C ends it")
        recorder = Recorder(
            settings,
            info,
            video=request.video,
            window=window,
            fuse=request.fuse,
            several=plan.several,
            keep_maps=request.maps,
            on_progress=lambda: bar.advance(task),
            on_stop=source.stop,
        )
        if plan.several:
            run: _Run | SeveralRun = SeveralRun(tracker, settings, info, plan, request)
        else:
            run = _Run(tracker, settings, info, plan, request)
        arriving = Counted(source)
        stack.callback(arriving.close)
        try:
            with _stopping_at_ctrl_c(source.stop), recorder:
                run.track(arriving, recorder)
            if info.length is not None and run.end < info.length and run.error is None:
                raise KeyboardInterrupt if source.stopped else UserError(f"'{info.source}' ended early.")
        except BaseException as error:
            run.keep(error)
    return run.finish(recorder)


class _Run:
    """One run: its log, its state, and what became of it."""

    def __init__(
        self, tracker: Tracker, settings: TrackerConfig, info: SequenceInfo, plan: Plan, request: Request
    ) -> None:
        self._tracker, self._settings, self._info, self._plan, self._request = tracker, settings, info, plan, request
        self._began = time.perf_counter()
        self._between = True
        self.log = Log(settings.modalities, plan.start)
        self.error: BaseException | None = None
        self._keeper = None if info.length is None else self._keep_states()

    @property
    def end(self) -> int:
        """Number of the frame that comes next."""
        return self.log.end

    def _keep_states(self) -> StateKeeper:
        made_with = partial(fingerprint, self._settings, self._tracker, self._info, self._request.maps)
        resumed = self._plan.resumed
        if resumed:
            resumed.check(made_with())
        path = state_path(self._request.output, self._info.name)
        return StateKeeper(path, self._tracker, self.log, self._plan.given, made_with, resumed)

    def track(self, frames: Counted, recorder: Recorder) -> None:
        """Take every step."""
        try:
            for step in self._steps(frames):
                if not len(self.log):
                    check_boxes(self._plan, step.frame, self._settings)
                self.log.add(step)
                if self._keeper:
                    self._keeper.after_frame()
                recorder.take(step)
        except BaseException as error:
            self.keep(error)
        self._between = frames.count == len(self.log)

    def keep(self, error: BaseException) -> None:
        """Keep what stopped the run for later; raise it where nothing was tracked that would be lost."""
        if not len(self.log) or (self._keeper and self._keeper.replaying):
            raise error
        self.error = self.error or error

    def _steps(self, frames: Counted) -> Iterable[Step]:
        tracker, given, resumed = self._tracker, self._plan.given, self._plan.resumed
        if resumed is None:
            return begin(tracker, frames, given[self._plan.start], given)
        told = resumed.replay(frames, tracker, self._settings.tracking.lost_below)
        return chain(told, go_on(tracker, frames, given))

    def finish(self, recorder: Recorder) -> Outcome:
        """Write the results and, of a run that stopped early, its state.

        Raises:
            UserError: there is nothing to write.
        """
        info, request, log = self._info, self._request, self.log
        if not len(log):
            raise UserError(f"No frame arrived from '{info.source}', so there is nothing to write.")
        elapsed = time.perf_counter() - self._began
        if request.maps:
            none = [None] * log.start
            path = request.output / f"{info.name}_maps.npz"
            write_maps(path, [*none, *recorder.maps], [*none, *recorder.search_boxes])
        files = write_results(request.output, info.name, log.track(), log.rows)
        told = len(self._plan.resumed.boxes) if self._plan.resumed else 0
        lines = [summarise(log, info.truth_for(self._settings.modality), self._settings, info.name, elapsed, told)]
        if self._keeper and self.error is None:
            self._keeper.ended()
        elif self.error is not None:
            going_on = self._keeper.stopped(self._between) if self._keeper else None
            lines.append(stopped_line(log.end, info.length, self.error, going_on))
        lines.append(f"results: {', '.join(map(str, files))}")
        return Outcome([*lines, f"video: {request.video}"] if request.video else lines, self.error)


@contextmanager
def _stopping_at_ctrl_c(stop: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C end the run after the frame in hand; a second one interrupts at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def first(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _drawn(plan: Plan, source: Stoppable, window: Window, settings: TrackerConfig) -> Plan:
    """The plan with what the user draws; a live source runs until space is pressed, and starts on that frame.

    Where the one target is put back in later frames, one box is drawn, else one after another until none is.
    """

    def picture(frame: Frame) -> list[Picture]:
        return list(Overlay(settings).pictures(frame).values())

    one = bool(plan.targets)
    what = "a box around the target" if one else "a box around each target, one after another"
    ending = "" if one else "; without a box they end the drawing"
    console.stderr.print(f"Draw {what}, and press space or Enter after it{ending} (a live picture: space first).")
    frame = source.choose_start(lambda frame: window.confirm(picture(frame)[0]))
    boxes = window.select(picture(frame), one)
    if len(boxes) == 1:
        return plan.with_given({plan.start: boxes[0], **plan.given})
    return replace(plan, targets={number: {plan.start: box} for number, box in enumerate(boxes, 1)}, several=True)
