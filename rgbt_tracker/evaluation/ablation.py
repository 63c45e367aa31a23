"""Does fusion help: every tracker as RGB alone, thermal alone, fused as in the paper and fused by reliability.

Each of the four runs over each sequence once in one pass and once with resets; the figures of each run are kept, so
that a table that was interrupted goes on where it stopped.

A long track is chaotic: one lost target, brought about by a rounding, changes the mean over few sequences. Several
starts a sequence, some frames apart (as in the VOT challenges since 2020), average over that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import TrackerConfig, load_config
from rgbt_tracker.evaluation.job import Job, OnePass, Provider, Reset, Setup, Source
from rgbt_tracker.evaluation.one_pass import one_pass_scores
from rgbt_tracker.evaluation.reset import sequence_runs
from rgbt_tracker.evaluation.reset_runs import Run, SequenceRuns
from rgbt_tracker.evaluation.runner import Worker, run_jobs
from rgbt_tracker.evaluation.store import KeptFigures, unfinished
from rgbt_tracker.sequences.starts import start_frames

APART = 10
"""Frames from one start to the next, unless asked otherwise."""

SETTINGS: dict[str, dict[str, Any]] = {
    "RGB": {"modality": "rgb"},
    "thermal": {"modality": "ir"},
    "paper": {"modality": "rgbt", "model.fusion.strategy": "attention"},
    "reliable": {"modality": "rgbt", "model.fusion.strategy": "reliable"},
}
"""Row label -> what it changes in a tracker's configuration."""


@dataclass(frozen=True)
class Contender:
    """One tracker: its label, its configuration and its weights (name, file or None for the configuration's)."""

    label: str
    config: TrackerConfig
    weights: str | None = None


def contenders(texts: Iterable[str]) -> list[Contender]:
    """Return what ``CONFIG`` or ``CONFIG=WEIGHTS`` names; a configuration that comes again is labelled by its weights.

    Raises:
        UserError: no such configuration.
    """
    found: list[Contender] = []
    for text in texts:
        name, _, weights = text.partition("=")
        config = load_config(name)
        taken = any(config.name == other.label for other in found)
        label = f"{config.name}={Path(weights).stem}" if taken else config.name
        found.append(Contender(label, config, weights or None))
    return found


@dataclass(frozen=True)
class OnePassFigures:
    """Mean IoU and success of one pass, and frames a second in it."""

    mean_iou: float
    success: float
    fps: float


@dataclass(frozen=True)
class ResetFigures:
    """Overlaps (NaN as None) and codes of a run with resets, from which accuracy, failures and EAO follow."""

    overlaps: list[float | None]
    codes: list[int]

    def runs(self, sequence: str) -> SequenceRuns:
        """The run as `rgbt_tracker.evaluation.reset_measures` takes it."""
        values = np.array([np.nan if value is None else value for value in self.overlaps], np.float64)
        return SequenceRuns(sequence, [Run(values, np.array(self.codes, np.int64))], {})


@dataclass(frozen=True)
class ScoredOnePass(OnePass):
    """One pass, of which only the scores are kept."""

    result: ClassVar[Callable[..., Any]] = OnePassFigures

    def run(self, job: Job, worker: Provider, on_progress: Callable[[float], None]) -> OnePassFigures:
        track = super().run(job, worker, on_progress)
        truth = self.clip(worker.sequence(job.sequence)).groundtruth
        assert truth is not None  # `plan` offers annotated sequences only
        scores = one_pass_scores(track.boxes, truth)
        return OnePassFigures(scores["mean_iou"], scores["success"], float(len(track.seconds) / track.seconds.sum()))


@dataclass(frozen=True)
class ScoredReset(Reset):
    """A run with resets, of which only overlaps and codes are kept."""

    result: ClassVar[Callable[..., Any]] = ResetFigures

    def run(self, job: Job, worker: Provider, on_progress: Callable[[float], None]) -> ResetFigures:
        sequence = worker.sequence(job.sequence)
        run = sequence_runs(self.clip(sequence), [super().run(job, worker, on_progress)]).runs[0]
        overlaps = [None if np.isnan(value) else float(value) for value in run.overlaps]
        return ResetFigures(overlaps, [int(code) for code in run.codes])


@dataclass(frozen=True)
class Cell:
    """One tracker, one setting, one sequence, one start: the figures of both runs."""

    tracker: str
    setting: str
    sequence: str
    one_pass: OnePassFigures
    reset: ResetFigures
    start: int = 0

    @property
    def runs(self) -> SequenceRuns:
        """The run with resets as `rgbt_tracker.evaluation.reset_measures` takes it."""
        return self.reset.runs(self.sequence)


@dataclass(frozen=True)
class Place:
    """A cell that is to be measured, and its two jobs."""

    tracker: str
    setting: str
    sequence: str
    start: int
    one_pass: Job
    reset: Job

    def cell(self, store: KeptFigures) -> Cell:
        """The figures that were measured."""
        one_pass, reset = store.load(self.one_pass), store.load(self.reset)
        assert one_pass is not None and reset is not None
        return Cell(self.tracker, self.setting, self.sequence, one_pass, reset, self.start)


def plan(
    contenders: Sequence[Contender], sources: Iterable[Source], worker: Worker, starts: int, apart: int
) -> Iterator[Place]:
    """Every combination, sequence after sequence; ``worker`` opens each for its name and its ground truth.

    Raises:
        UserError: no such weights, or a sequence without ground truth.
    """
    setups = [
        (contender.label, setting, setup, _made_with(setup))
        for contender in contenders
        for setting, changes in SETTINGS.items()
        for setup in [Setup(contender.config.replace(**changes), contender.weights)]
    ]
    for source in sources:
        sequence = worker.sequence(source)
        if sequence.groundtruth is None:
            raise UserError(f"'{sequence.name}' has no ground truth to measure against; move it away or annotate it.")
        frames = start_frames(sequence.groundtruth, starts, apart)
        for (label, setting, setup, made_with), start in product(setups, frames):
            name = sequence.name + (f"@{start}" if start else "")
            jobs = (
                Job(f"{label}/{setting}/{kind}/{name}", setup, source, experiment, made_with)
                for kind, experiment in (
                    ("one-pass", ScoredOnePass(start=start, read_ahead=False)),
                    ("reset", ScoredReset(start=start)),
                )
            )
            yield Place(label, setting, sequence.name, start, *jobs)


def job_count(contenders: Sequence[Contender], sources: Sequence[Source], starts: int) -> int:
    """How many jobs `measure_all` runs: one pass and resets, of each contender and setting, from each start."""
    return len(sources) * len(contenders) * len(SETTINGS) * starts * 2


def measure_all(
    contenders: Sequence[Contender],
    sources: Sequence[Source],
    folder: Path,
    device: str = "auto",
    on_done: Callable[[Job], None] = lambda job: None,
    starts: int = 1,
    apart: int = APART,
    workers: int = 1,
) -> list[Cell]:
    """Measure every combination, without those that ``folder`` already holds.

    Each sequence is run from ``starts`` frames on, ``apart`` frames from one another. Kept figures are used only if
    they were made with the same configuration and the same weights.

    Args:
        on_done: called with each job, kept ones too.
        workers: processes.
    """
    store = KeptFigures(folder)
    worker = Worker(store, models=len(contenders) * len(SETTINGS), device=device)
    places: list[Place] = []

    def jobs() -> Iterator[Job]:
        for place in plan(contenders, sources, worker, starts, apart):
            places.append(place)
            yield from (place.one_pass, place.reset)

    for job, _ in run_jobs(unfinished(jobs(), store, on_done), worker, workers):
        on_done(job)
    return [place.cell(store) for place in places]


def _made_with(setup: Setup) -> dict[str, Any]:
    """What kept figures depend on: configuration and weights, without the gate's settings where there is no gate."""
    record = setup.record()
    if setup.config.modality != "rgbt" or setup.config.model.fusion.strategy != "reliable":
        del record["config"]["model"]["fusion"]["reliability"]
    return {"config": record["config"], "digest": record["digest"]}
