"""A whole tuning run: split the sequences, search on some, check on the others, write what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nestfuse_core.common.files import write_text
from rgbt_tracker.evaluation.job import Setup
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.tuning import result, study
from rgbt_tracker.tuning.evaluator import Evaluator, Setting, starting_point
from rgbt_tracker.tuning.memory import Memory
from rgbt_tracker.tuning.study import Outcome

OnStep = Callable[[int | None, str], None]


@dataclass(frozen=True)
class Search:
    """How to search.

    Attributes:
        trials: in all, those of earlier runs included.
        criterion: success, precision, normalised_precision or mean_iou.
        fusions: variants to try too.
        held_back: share of the sequences kept for checking the gain.
        seed: of the split and of the search.
        memory: bytes for remembered network outputs.
    """

    trials: int
    criterion: str = "success"
    fusions: Sequence[str] = ()
    held_back: float = 0.5
    seed: int = 0
    memory: int = 1 << 30


@dataclass(frozen=True)
class Tuned:
    """What a run left.

    Attributes:
        outcome: what the search found.
        training, checked: names of the sequences it searched and was checked on.
        report: JSON text, in ``report.json``.
        config: the tuned configuration's file; None where nothing was gained.
        hit_rate: share of the search regions that had been seen before and needed no network.
        saved: seconds that these would have taken.
    """

    outcome: Outcome
    training: list[str]
    checked: list[str]
    report: str
    config: Path | None
    hit_rate: float
    saved: float


def tune(setup: Setup, sequences: Mapping[str, FrameSequence], search: Search, folder: Path, on_step: OnStep) -> Tuned:
    """Tune a tracker on some of the sequences and check the gain on the others; goes on where ``folder`` ends.

    Args:
        setup: the tracker.
        sequences: annotated, by name.
        search: how to search.
        folder: of the study, the report and the tuned configuration.
        on_step: called with the finished trials (None: as before) and what is done at the moment.

    Raises:
        UserError: a criterion or fusion there is none of, too few sequences, or a folder of another study.
    """
    training, checked = study.split(list(sequences), search.held_back, search.seed)
    default, fusions = starting_point(setup.config, search.fusions)
    answers = Memory(search.memory)
    evaluator = Evaluator(setup, search.criterion, answers, variants=bool(fusions))
    lengths = {name: len(sequences[name]) for name in training}
    known = result.identity(setup, lengths, search.criterion, fusions)
    trials = study.open_study(folder / "study.journal", known, search.seed)
    status = "default first"

    def score(setting: Setting, name: str) -> float:
        on_step(None, f"{status}; on {name}")
        return evaluator(setting, sequences[name])

    def report(done: int, best: float | None) -> None:
        nonlocal status
        status = status if best is None else f"best {best:.4f}"
        on_step(done, status)

    study.search(trials, score, default, training, search.trials, fusions, report)
    status = "checking"
    outcome = study.judge(trials, score, default, checked)
    rate = answers.rate("search")
    text = result.as_json(outcome, training, checked, {"criterion": search.criterion, "hit_rate": rate})
    write_text(folder / "report.json", text)
    config = folder / f"{setup.config.name}-tuned.yaml" if outcome.gained else None
    if config:
        result.write_config(setup.config, outcome, config, search.criterion)
    return Tuned(outcome, training, checked, text, config, rate, answers.saved())
