"""Does fusion help: every tracker as RGB alone, thermal alone, fused as in the paper and fused by reliability.

Each of the four runs over each sequence once in one pass and once with resets; one file a run is kept, so that a table
that was interrupted goes on where it stopped.

A long track is chaotic: one lost target, brought about by a rounding, changes the mean over few sequences. Several
starts a sequence, some frames apart (as in the VOT challenges since 2020), average over that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import write_text
from rgbt_tracker.api import UNTRAINED
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.evaluation.bootstrap import paired_bootstrap
from rgbt_tracker.evaluation.one_pass import one_pass_scores
from rgbt_tracker.evaluation.reset import run_with_resets
from rgbt_tracker.evaluation.reset_measures import Run, SequenceRuns, accuracy_failures, eao_curve, eao_score
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.sequences.starts import start_frames
from rgbt_tracker.tracking.run import track_sequence
from rgbt_tracker.zoo.store import file_hash, resolve

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
class Cell:
    """One tracker, one setting, one sequence, one start.

    ``mean_iou`` and ``success`` are of one pass from frame ``start``; ``overlaps`` and ``codes`` of the run with resets
    (NaN as None), from which accuracy, failures and EAO follow; ``fps`` is frames a second of the one pass.
    """

    tracker: str
    setting: str
    sequence: str
    mean_iou: float
    success: float
    fps: float
    overlaps: list[float | None]
    codes: list[int]
    start: int = 0

    @property
    def runs(self) -> SequenceRuns:
        """The run with resets as `rgbt_tracker.evaluation.reset_measures` takes it."""
        values = np.array([np.nan if value is None else value for value in self.overlaps], np.float64)
        return SequenceRuns(self.sequence, [Run(values, np.array(self.codes, np.int64))], {})


def measure(contender: Contender, setting: str, sequence: FrameSequence, start: int = 0, device: str = "auto") -> Cell:
    """Run one tracker in one setting over one sequence from frame ``start`` on, in one pass and with resets."""
    from rgbt_tracker import build_tracker

    tracker = build_tracker(contender.config.replace(**SETTINGS[setting]), contender.weights, device)
    part = sequence.clip(start)
    track = track_sequence(tracker, part)
    assert part.groundtruth is not None
    scores = one_pass_scores(track.boxes, part.groundtruth)
    run = run_with_resets(tracker, part)
    overlaps = [None if np.isnan(value) else float(value) for value in run.overlaps]
    fps = float(len(track.seconds) / track.seconds.sum())
    codes = [int(code) for code in run.codes]
    figures = (scores["mean_iou"], scores["success"], fps)
    return Cell(contender.label, setting, sequence.name, *figures, overlaps, codes, start)


def measure_all(
    contenders: Sequence[Contender],
    sequences: Iterable[Callable[[], FrameSequence]],
    folder: Path,
    device: str = "auto",
    on_done: Callable[[Cell], None] = lambda cell: None,
    starts: int = 1,
    apart: int = APART,
) -> list[Cell]:
    """Measure every combination, reading those that ``folder`` already holds.

    Each sequence is run from ``starts`` frames on, ``apart`` frames from one another. A kept file is used only if it
    was made with the same configuration and the same weights.
    """
    cells = []
    for open_one in sequences:
        sequence = open_one().cached()
        assert sequence.groundtruth is not None
        for contender in contenders:
            weights = _digest(contender)
            for setting, start in product(SETTINGS, start_frames(sequence.groundtruth, starts, apart)):
                settings = contender.config.replace(**SETTINGS[setting])
                key = _made_with(settings, weights)
                name = sequence.name + (f"@{start}" if start else "")
                path = folder / contender.label / setting / f"{name}.json"
                cell = _kept(path, key)
                if cell is None:
                    cell = measure(contender, setting, sequence, start, device)
                    write_text(path, json.dumps({"made_with": key, "cell": asdict(cell)}))
                cells.append(cell)
                on_done(cell)
    return cells


def _made_with(settings: TrackerConfig, weights: str | None) -> dict[str, Any]:
    """What a kept run depends on: weights and configuration, without the gate's settings where there is no gate."""
    key = {**settings.model_dump(mode="json"), "file": weights}
    if settings.modality != "rgbt" or settings.model.fusion.strategy != "reliable":
        del key["model"]["fusion"]["reliability"]
    return key


def _digest(contender: Contender) -> str | None:
    """What tells one file of weights from another under the same name."""
    name = contender.weights or contender.config.weights
    return name if name in (None, UNTRAINED) else file_hash(resolve(name))


def _kept(path: Path, key: dict[str, Any]) -> Cell | None:
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Cell(**content["cell"]) if content["made_with"] == key else None
    except (ValueError, TypeError, KeyError):
        raise UserError(
            f"Expected a run kept by 'rgbt ablation' in '{path}', but it is damaged; delete it to run again."
        ) from None


def table(cells: Sequence[Cell], value: str) -> pd.DataFrame:
    """Rows (tracker, setting), a column a sequence and their mean (the total of failures).

    ``value`` is mean_iou, success, accuracy or failures; several starts of a sequence are averaged.
    """
    records = []
    for cell in cells:
        pooled = accuracy_failures([cell.runs])
        figures = {"mean_iou": cell.mean_iou, "success": cell.success}
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
            "frames/s": np.median([cell.fps for cell in chosen]),
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


def as_markdown(frame: pd.DataFrame, decimals: int = 3) -> str:
    """A table for the README, without further packages."""
    flat = frame.reset_index()

    def text(value: Any) -> str:
        return f"{round(value, decimals) + 0:.{decimals}f}" if isinstance(value, float) else str(value)  # no "-0.000"

    lines = ["| " + " | ".join(map(str, flat.columns)) + " |", "|" + "---|" * len(flat.columns)]
    lines += ["| " + " | ".join(text(value) for value in row) + " |" for row in flat.itertuples(index=False)]
    return "\n".join(lines)
