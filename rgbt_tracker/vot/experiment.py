"""Experiments for the toolkit's stack files: the reset-based protocol of VOT2019 and the anchor-based one of VOT2020.

vot-toolkit 0.8 to 0.9 cannot run its own with a single-target TraX tracker; these can, and write the same files.
Importing this module needs vot-toolkit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from attributee import Integer
from vot import ToolkitException
from vot.dataset import Sequence
from vot.dataset.proxy import FrameMapSequence, ProxySequence
from vot.experiment.multirun import SupervisedExperiment
from vot.experiment.multistart import MultiStartExperiment, find_anchors
from vot.region import Special
from vot.tracker import (
    ObjectStatus,
    RealtimeTrackerRuntime,
    Tracker,
    TrackerException,
    Trajectory,
)
from vot.utilities import to_number

from rgbt_tracker.evaluation.reset import Answer, run_resets
from rgbt_tracker.evaluation.reset_measures import SKIP
from rgbt_tracker.results.region_overlap import Region, region_overlap
from rgbt_tracker.results.trajectory import FAILED, INITIALISED
from rgbt_tracker.results.trajectory import Trajectory as OurTrajectory
from rgbt_tracker.vot import toolkit
from rgbt_tracker.vot.runtimes import SingleTargetRuntime, forward_log

ALIKE = 3
"""Equal repetitions after which a tracker counts as deterministic and no more are run."""


class EvaluationError(ToolkitException):
    """A tracker failed. Unlike the toolkit's TrackerException it makes ``vot evaluate`` exit with code 1."""


class _SingleTargetExperiment:
    """What both protocols share: one target a sequence, runtimes that unwrap it, failures that are told."""

    def transform(self, sequences: Any) -> list[Sequence]:
        given = [sequences] if isinstance(sequences, Sequence) else list(sequences)
        return super().transform([toolkit.with_single_target(sequence) for sequence in given])  # type: ignore[misc]

    def _get_runtime(self, tracker: Tracker, sequence: Sequence, multiobject: bool = False) -> Any:
        inner = tracker.runtime()
        forward_log(inner, tracker.identifier)
        runtime: Any = SingleTargetRuntime(inner)
        realtime = self.realtime  # type: ignore[attr-defined]
        if realtime is not None:
            grace = to_number(realtime.grace, min_n=0)
            fps = to_number(realtime.fps, min_n=0, conversion=float)
            runtime = RealtimeTrackerRuntime(runtime, grace, 1 / float(sequence.metadata("fps", fps)))
        return runtime

    def execute(
        self, tracker: Tracker, sequence: Sequence, force: bool = False, callback: Callable[[float], None] | None = None
    ) -> None:
        """Run the tracker on the sequence and write its results; complete repetitions are kept unless ``force``."""
        try:
            self._execute(tracker, sequence, force, callback or (lambda share: None))  # type: ignore[attr-defined]
        except TrackerException as error:
            if _persisting():
                raise
            log = f"{error.log}\n{error}\n" if error.log else f"{error}\n"
            with self.log(tracker.identifier) as file:  # type: ignore[attr-defined]
                file.write(log)
            raise EvaluationError(
                f"Tracker {tracker.identifier} failed on sequence {sequence.name}: {error}; "
                f"its output is in {file.name}."
            ) from error


def _persisting() -> bool:
    """Whether ``vot evaluate --persist`` wants to go on after errors, which it does for TrackerException alone."""
    return any(argument in ("--persist", "-p") for argument in sys.argv[1:])


class ResetExperiment(_SingleTargetExperiment, SupervisedExperiment):
    """Reset-based: start again ``skip_initialize`` frames after a failure; deterministic trackers run three times."""

    repetitions = Integer(val_min=1, default=15)
    skip_initialize = Integer(val_min=1, default=SKIP)

    def _can_stop(self, tracker: Tracker, sequence: Sequence) -> bool:
        """Whether `ALIKE` repetitions are alike.

        The toolkit's own comparison takes a box that crosses the left or top border for different from itself, and
        would run a deterministic tracker 15 times.
        """
        if not self.early_stop:
            return False
        runs = [toolkit.to_trajectory(item.regions()) for item in self.gather(tracker, sequence)]
        return len(runs) >= ALIKE and all(same_course(run, runs[0]) for run in runs[1:])

    def _execute(self, tracker: Tracker, sequence: Sequence, force: bool, callback: Callable[[float], None]) -> None:
        results = self.results(tracker, sequence)
        truth = toolkit.to_trajectory(sequence.groundtruth()).regions
        with self._get_runtime(tracker, sequence) as runtime:
            for repetition in range(1, self.repetitions + 1):
                name = f"{sequence.name}_{repetition:03d}"
                if Trajectory.exists(results, name) and not force:
                    continue
                # With `force` the first three are run again, whatever lies there from before.
                if (repetition > ALIKE or not force) and self._can_stop(tracker, sequence):
                    return

                def report(frame: int, done: int = repetition - 1) -> None:
                    callback((done + (frame + 1) / len(sequence)) / self.repetitions)

                properties: dict[int, dict[str, Any]] = {}
                run = self._run(runtime, sequence, truth, properties, report)
                toolkit.write_trajectory(_as_trajectory(run, properties), results, name)

    def _run(
        self,
        runtime: Any,
        sequence: Sequence,
        truth: list[Region | None],
        properties: dict[int, dict[str, Any]],
        on_frame: Callable[[int], None],
    ) -> OurTrajectory:
        """Run once; what the tracker said beside its region is left in ``properties``, frame by frame."""

        def initialize(frame: int) -> float:
            _, seconds = runtime.initialize(sequence.frame(frame), self._get_initialization(sequence, frame))
            return seconds

        def update(frame: int) -> Answer:
            status, seconds = runtime.update(sequence.frame(frame))
            properties[frame] = dict(status.properties or {})
            return Answer(toolkit.to_array(status.region), float("nan"), seconds)  # type: ignore[arg-type]

        def overlap(frame: int, region: Region) -> float:
            expected = truth[frame]
            return float("nan") if expected is None else region_overlap(region, expected, sequence.size)

        def can_start(frame: int) -> bool:
            return truth[frame] is not None and not set(sequence.tags(frame)) & set(self.skip_tags)

        return run_resets(
            len(sequence),
            initialize,
            update,
            overlap,
            skip=self.skip_initialize,
            failure_overlap=self.failure_overlap,
            can_start=can_start,
            on_frame=on_frame,
        )


def same_course(a: OurTrajectory, b: OurTrajectory, threshold: float = 0.99999) -> bool:
    """Whether two runs have the same special frames and regions that cover the same pixels."""
    if len(a) != len(b) or not np.array_equal(a.codes, b.codes):
        return False
    pairs = ((x, y) for x, y in zip(a.regions, b.regions, strict=True) if x is not None and y is not None)
    return all(np.array_equal(x, y) or region_overlap(x, y) >= threshold for x, y in pairs)


def _as_trajectory(run: OurTrajectory, said: dict[int, dict[str, Any]]) -> Trajectory:
    """The toolkit's trajectory: regions and codes, and the properties time and confidence."""
    trajectory = Trajectory(len(run.codes))
    for frame, (code, region, seconds) in enumerate(zip(run.codes, run.regions, run.seconds, strict=True)):
        properties = said.get(frame, {})
        if not np.isnan(seconds):
            properties["time"] = float(seconds)
        if code in (INITIALISED, FAILED):
            trajectory.set(frame, Special(int(code)), properties)
        elif region is not None:
            trajectory.set(frame, toolkit.to_region(region), properties)
    return trajectory


class AnchorExperiment(_SingleTargetExperiment, MultiStartExperiment):
    """Anchor-based: start at every anchor and run to the further end of the sequence, never reset."""

    def transform(self, sequences: Any) -> list[Sequence]:
        return [_with_anchors(sequence, self.anchor) for sequence in super().transform(sequences)]

    def _execute(self, tracker: Tracker, sequence: Sequence, force: bool, callback: Callable[[float], None]) -> None:
        results = self.results(tracker, sequence)
        forward, backward = find_anchors(sequence, self.anchor)
        starts = [(anchor, False) for anchor in forward] + [(anchor, True) for anchor in backward]
        with self._get_runtime(tracker, sequence) as runtime:
            for done, (anchor, reverse) in enumerate(starts):
                name = f"{sequence.name}_{anchor:08d}"
                if Trajectory.exists(results, name) and not force:
                    continue
                frames = list(range(anchor, -1, -1)) if reverse else list(range(anchor, len(sequence)))
                trajectory = self._follow(runtime, FrameMapSequence(sequence, frames))
                toolkit.write_trajectory(trajectory, results, name)
                callback((done + 1) / len(starts))

    def _follow(self, runtime: Any, sequence: Sequence) -> Trajectory:
        trajectory = Trajectory(len(sequence))
        _, seconds = runtime.initialize(sequence.frame(0), ObjectStatus(sequence.groundtruth(0), {}))
        trajectory.set(0, Special(Trajectory.INITIALIZATION), {"time": seconds})
        for frame in range(1, len(sequence)):
            status, seconds = runtime.update(sequence.frame(frame))
            trajectory.set(frame, status.region, {**status.properties, "time": seconds})
        return trajectory


ANCHOR_SPACING = 50


class _Anchored(ProxySequence):
    """A sequence with anchors every 50 frames, each running towards the further end (VOT2020 report, section 2.1)."""

    def __init__(self, source: Sequence, name: str) -> None:
        super().__init__(source)
        self._anchor = name
        last = len(source) - 1
        frames = sorted({*range(0, len(source), ANCHOR_SPACING), last})
        self._anchors = {frame: 1 if last - frame >= frame else -1 for frame in frames}

    def values(self, index: int | None = None) -> Any:
        own = self._source.values(index)
        if index is None:
            return [*own, self._anchor]
        return {**own, self._anchor: self._anchors.get(index, 0)}


def _with_anchors(sequence: Sequence, name: str) -> Sequence:
    """The sequence, given anchors if the dataset (VOT-RGBT2019 is older than the protocol) has none."""
    return sequence if name in sequence.values() else _Anchored(sequence, name)
