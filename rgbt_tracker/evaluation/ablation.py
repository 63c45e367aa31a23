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
import pandas as pd

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.evaluation.bootstrap import paired_bootstrap
from rgbt_tracker.evaluation.job import Job, OnePass, Provider, Reset, Setup, Source
from rgbt_tracker.evaluation.one_pass import one_pass_scores
from rgbt_tracker.evaluation.reset import sequence_runs
from rgbt_tracker.evaluation.reset_measures import Run, SequenceRuns, accuracy_failures, eao_curve, eao_score
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


def table(cells: Sequence[Cell], value: str) -> pd.DataFrame:
    """Rows (tracker, setting), a column a sequence and their mean (the total of failures).

    ``value`` is mean_iou, success, accuracy or failures; several starts of a sequence are averaged.
    """
    records = []
    for cell in cells:
        pooled = accuracy_failures([cell.runs])
        figures = {"mean_iou": cell.one_pass.mean_iou, "success": cell.one_pass.success}
        figures |= {"accuracy": pooled.accuracy, "failures": pooled.failures}
        row = {"tracker": cell.tracker, "setting": cell.setting, "sequence": cell.sequence}
        records.append({**row, "value": figures[value]})
    frame = pd.DataFrame(records).pivot_table("value", ["tracker", "setting"], "sequence", dropna=False)
    names = list(dict.fromkeys(cell.sequence for cell in cells))
    order = list(dict.fromkeys((cell.tracker, cell.setting) for cell in cells))
    frame = frame.loc[order, names]
    frame["total" if value == "failures" else "mean"] = frame.sum(axis=1) if value == "failures" else frame.mean(axis=1)
    return frame


def summary(cells: Sequence[Cell], low: int, high: int) -> pd.DataFrame:
    """Rows (tracker, setting): mean IoU, success, pooled reset accuracy, failures, EAO over ``low``..``high``, fps.

    Failures are those of one start a sequence, on average.
    """
    iou, success, failures = (table(cells, value) for value in ("mean_iou", "success", "failures"))
    rows = {}
    for key in dict.fromkeys((cell.tracker, cell.setting) for cell in cells):
        chosen = [cell for cell in cells if (cell.tracker, cell.setting) == key]
        runs = [cell.runs for cell in chosen]
        rows[key] = {
            "mean IoU": iou.loc[key, "mean"],
            "success AUC": success.loc[key, "mean"],
            "accuracy": accuracy_failures(runs).accuracy,
            "failures": failures.loc[key, "total"],
            "EAO": eao_score(eao_curve(runs), low, high),
            "frames/s": np.median([cell.one_pass.fps for cell in chosen]),
        }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=["tracker", "setting"])
    return frame


def differences(cells: Sequence[Cell], value: str = "mean_iou") -> pd.DataFrame:
    """Reliable minus every other setting of the same tracker, 95 % paired bootstrap interval, worst sequence.

    ``value`` is mean_iou (mean over the sequences, more is better) or failures (their total, fewer are better). The
    last row of a tracker compares with the better single modality of each sequence.
    """
    fewer = value == "failures"
    rows = {}
    for tracker in dict.fromkeys(cell.tracker for cell in cells):
        figures = table([cell for cell in cells if cell.tracker == tracker], value).iloc[:, :-1].loc[tracker]
        count = figures.shape[1] if fewer else 1
        singles = figures.loc[["RGB", "thermal"]]
        others = {name: figures.loc[name] for name in SETTINGS if name != "reliable"}
        others["better single"] = singles.min() if fewer else singles.max()
        for name, values in others.items():
            interval = paired_bootstrap(figures.loc["reliable"], values)
            gap = figures.loc["reliable"] - values
            worst = gap.idxmax() if fewer else gap.idxmin()
            rows[tracker, f"reliable - {name}"] = {
                "difference": interval.difference * count,
                "low": interval.low * count,
                "high": interval.high * count,
                "worst": gap[worst],
                "on": worst,
            }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=["tracker", "difference of"])
    return frame


def as_cells(frame: pd.DataFrame, decimals: int = 3) -> list[list[str]]:
    """The headings and the rows of a table as texts; its index makes the first columns."""
    flat = frame.reset_index()

    def text(value: Any) -> str:
        return f"{round(value, decimals) + 0:.{decimals}f}" if isinstance(value, float) else str(value)  # no "-0.000"

    return [list(map(str, flat.columns)), *([text(value) for value in row] for row in flat.itertuples(index=False))]


def as_markdown(frame: pd.DataFrame, decimals: int = 3) -> str:
    """A table for the README, without further packages."""
    head, *rows = as_cells(frame, decimals)
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
