"""The search itself: an Optuna study in a journal file, and what it gained on sequences it never saw."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.bootstrap import Interval, paired_bootstrap
from rgbt_tracker.evaluation.store import refuse_difference
from rgbt_tracker.tuning.evaluator import Setting

if TYPE_CHECKING:
    import optuna

Score = Callable[[Setting, str], float]
RANGES = {"penalty": (0.0, 0.3), "window": (0.0, 0.7), "lr": (0.05, 0.9)}
DECIMALS = 3
SIBLINGS = 2
STUDY = "tune"


@dataclass(frozen=True)
class Outcome:
    """What a search found.

    Attributes:
        default, best: settings; equal when nothing beat the default on the training split.
        training: mean score of default and best on the training split.
        held_back: the same on the held-back split.
        interval: best - default on the held-back split, with its 95% bootstrap interval.
        trials, pruned: finished trials, and how many of them were stopped early.
    """

    default: Setting
    best: Setting
    training: tuple[float, float]
    held_back: tuple[float, float]
    interval: Interval
    trials: int
    pruned: int

    @property
    def gained(self) -> bool:
        """Whether the best setting beats the default where the search did not look."""
        return self.best != self.default and self.interval.difference > 0


def split(names: Sequence[str], share: float, seed: int) -> tuple[list[str], list[str]]:
    """Divide sequences at random into training and held-back ones, at least two each.

    Args:
        names: of the sequences.
        share: to hold back, 0..1.
        seed: of the draw.

    Raises:
        UserError: fewer than four sequences, or a share that leaves one split (nearly) empty.
    """
    if len(names) < 4:
        raise UserError(f"Tuning needs at least 4 sequences, 2 to tune on and 2 to check on; got {len(names)}.")
    count = round(len(names) * share)
    if not 2 <= count <= len(names) - 2:
        raise UserError(f"Holding back {share:g} of {len(names)} sequences leaves fewer than 2 on one side; use 0.5.")
    order = np.random.default_rng(seed).permutation(len(names))
    held = {int(index) for index in order[:count]}
    return (
        [name for index, name in enumerate(names) if index not in held],
        [name for index, name in enumerate(names) if index in held],
    )


def open_study(journal: Path, identity: dict[str, Any], seed: int) -> optuna.Study:
    """Open the study in ``journal``, or start it.

    Trials that were running when the last run stopped are given up, so that they are not counted.

    Raises:
        UserError: the file is no journal, or the study belongs to another configuration,
            weights or sequences (``identity``).
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    journal.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            storage = JournalStorage(JournalFileBackend(str(journal), JournalFileOpenLock(str(journal))))
            study = optuna.create_study(
                storage=storage,
                study_name=STUDY,
                direction="maximize",
                load_if_exists=True,
                pruner=optuna.pruners.WilcoxonPruner(p_threshold=0.1, n_startup_steps=4),
            )
        except (ValueError, KeyError, json.JSONDecodeError) as error:
            raise UserError(f"{journal} is not a study of rgbt tune ({error}); give another --output.") from error
    if earlier := study.user_attrs.get("identity"):
        refuse_difference(f"The trials in {journal}", earlier, identity, "give another --output to start a new study.")
    study.set_user_attr("identity", json.loads(json.dumps(identity)))
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    # A sampler seeded alike would propose again what it proposed before the interruption.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials), multivariate=False)
    return study


def search(
    study: optuna.Study,
    score: Score,
    default: Setting,
    training: Sequence[str],
    trials: int,
    fusions: Sequence[str] = (),
    on_trial: Callable[[int, float | None], None] = lambda number, best: None,
) -> None:
    """Run trials until ``trials`` are finished, the default setting first.

    A trial is stopped early when a Wilcoxon test over the sequences so far says that it is worse than the best.
    Each trial is followed by `SIBLINGS` that differ from it in the window influence alone: until the window changes
    which candidate wins, they see what it saw, and the network need not run again (`rgbt_tracker.tuning.memory`).

    Args:
        study: from `open_study`.
        score: of a setting on a sequence, 0..1.
        default: to beat.
        training: names of the sequences.
        trials: in all, those of earlier runs included.
        fusions: variants to choose from; none to leave the fusion alone.
        on_trial: called after each trial with the number of finished ones and the best score.
    """
    import optuna

    def objective(trial: optuna.Trial) -> float:
        chosen = {name: trial.suggest_float(name, *_range(name, getattr(default, name))) for name in RANGES}
        fusion = trial.suggest_categorical("fusion", list(fusions)) if fusions else ""
        setting = Setting(**{name: round(value, DECIMALS) for name, value in chosen.items()}, fusion=fusion)
        if trial.params == default.as_dict():
            setting = default
        trial.set_user_attr("setting", asdict(setting))
        values = []
        for step, name in enumerate(training):
            value = score(setting, name)
            values.append(0.0 if math.isnan(value) else value)
            trial.report(values[-1], step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(values))

    if not finished(study):
        study.enqueue_trial(default.as_dict())
    with warnings.catch_warnings():
        # Wilcoxon's test warns about ties, which trials with equal trajectories have.
        warnings.simplefilter("ignore")
        while (done := len(finished(study))) < trials:
            on_trial(done, _best(study))
            if done % (SIBLINGS + 1):
                last = finished(study)[-1].params
                study.enqueue_trial({name: value for name, value in last.items() if name != "window"})
            study.optimize(objective, n_trials=1)
    on_trial(len(finished(study)), _best(study))


def judge(study: optuna.Study, score: Score, default: Setting, held_back: Sequence[str]) -> Outcome:
    """Compare the best setting of the study with the default on sequences that the search did not use."""
    complete = [trial for trial in finished(study) if trial.value is not None and trial.state.name == "COMPLETE"]
    first = next(trial for trial in complete if _setting(trial) == default)
    # Strictly better than the default, so that a tie keeps what is there.
    best = max(complete, key=lambda trial: (trial.value, trial is first))
    setting = _setting(best)
    before = [score(default, name) for name in held_back]
    after = [score(setting, name) for name in held_back] if setting != default else before
    interval = paired_bootstrap(after, before)
    means = float(np.nanmean(before)), float(np.nanmean(after))
    pruned = len(finished(study)) - len(complete)
    return Outcome(
        default, setting, (float(first.value), float(best.value)), means, interval, len(finished(study)), pruned
    )


def finished(study: optuna.Study) -> list[Any]:
    """Return the trials that ran to an end, early or not."""
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.name in ("COMPLETE", "PRUNED")]


def _best(study: optuna.Study) -> float | None:
    values = [trial.value for trial in finished(study) if trial.state.name == "COMPLETE"]
    return max(values, default=None)


def _setting(trial: Any) -> Setting:
    return Setting(**trial.user_attrs["setting"])


def _range(name: str, default: float) -> tuple[float, float]:
    low, high = RANGES[name]
    return min(low, default), max(high, default)
