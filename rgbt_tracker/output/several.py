"""Several targets followed for a user, and what is left of each in the folder of results."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import check_box
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.output.log import Log
from rgbt_tracker.output.plan import Plan
from rgbt_tracker.output.recorder import Recorder
from rgbt_tracker.output.request import Counted, Outcome, Request
from rgbt_tracker.output.summary import stopped_line, summarise_several
from rgbt_tracker.results.mot import write_mot
from rgbt_tracker.results.write import target_name, write_results
from rgbt_tracker.sequences.base import Frame, SequenceInfo
from rgbt_tracker.tracking.multi import MultiTracker
from rgbt_tracker.tracking.run import SeveralStep, follow_all

if TYPE_CHECKING:
    from rgbt_tracker.tracking.tracker import Tracker


def check_boxes(plan: Plan, frame: Frame, settings: TrackerConfig) -> None:
    """Refuse boxes outside the picture before the run, and not when their frame comes."""
    image = frame.ir if frame.rgb is None or "rgb" not in settings.modalities else frame.rgb
    if image is None:
        return  # which the tracker refuses
    for boxes in plan.targets.values():
        for box in boxes.values():
            check_box(box, image.shape[1], image.shape[0])


class SeveralRun:
    """One run with several targets: a log for each, and what became of it."""

    def __init__(
        self, tracker: Tracker, settings: TrackerConfig, info: SequenceInfo, plan: Plan, request: Request
    ) -> None:
        if request.maps:
            raise UserError("--maps shows the fusion of one target's search; leave it out with several.")
        self._tracker = MultiTracker(tracker.config, tracker.runtime)
        self._settings, self._info, self._plan, self._request = settings, info, plan, request
        self._began = time.perf_counter()
        self._seconds: list[float] = []
        self._logs: dict[int, Log] = {}
        self.error: BaseException | None = None

    @property
    def end(self) -> int:
        """Number of the frame that comes next."""
        return self._plan.start + len(self._seconds)

    def track(self, frames: Counted, recorder: Recorder) -> None:
        """Take every step."""
        try:
            for step in follow_all(self._tracker, self._checked(frames), self._plan.targets):
                self._add(step)
                recorder.take_several(step)
        except BaseException as error:
            self.keep(error)

    def keep(self, error: BaseException) -> None:
        """Keep what stopped the run for later; raise it where nothing was tracked that would be lost."""
        if not self._seconds:
            raise error
        self.error = self.error or error

    def finish(self, recorder: Recorder) -> Outcome:
        """Write the results of every target, and all of them in one file.

        Raises:
            UserError: there is nothing to write.
        """
        info, folder = self._info, self._request.output
        if not self._logs:
            raise UserError(f"No frame with a target arrived from '{info.source}', so there is nothing to write.")
        elapsed = time.perf_counter() - self._began
        tracks = {number: self._logs[number].track() for number in sorted(self._logs)}
        files = [
            write_results(folder, target_name(info.name, number), track, self._logs[number].rows)[0]
            for number, track in tracks.items()
        ]
        files.append(write_mot(folder, info.name, tracks))
        lines = [summarise_several(self._logs, self._settings, info.name, elapsed, np.array(self._seconds))]
        if self.error is not None:
            lines.append(stopped_line(self.end, info.length, self.error, None))
        lines.append(f"results: {', '.join(map(str, files))}")
        if self._request.video:
            lines.append(f"video: {self._request.video}")
        return Outcome(lines, self.error)

    def _checked(self, frames: Counted):
        for frame in frames:
            if not self._seconds:
                check_boxes(self._plan, frame, self._settings)
            yield frame

    def _add(self, step: SeveralStep) -> None:
        self._seconds.append(step.seconds)
        for number in step.results:
            if number not in self._logs:
                self._logs[number] = Log(self._settings.modalities, step.frame.index)
            self._logs[number].add(step.step(number))
