"""Analyses for the toolkit's stack files; the numbers come from `rgbt_tracker.evaluation.reset_measures`.

Importing this module needs vot-toolkit.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

from attributee import Float, Integer
from vot.analysis import Axes, Measure, Plot, Point, Sorting, TrackerSeparableAnalysis
from vot.dataset import Sequence
from vot.experiment import Experiment
from vot.experiment.multirun import SupervisedExperiment
from vot.tracker import Tracker

from rgbt_tracker.evaluation import reset_measures as measures
from rgbt_tracker.evaluation.reset_runs import SequenceRuns, scored
from rgbt_tracker.vot import toolkit
from rgbt_tracker.vot.runtimes import LOGGER


def runs_of(experiment: Experiment, tracker: Tracker, sequences: list[Sequence]) -> list[SequenceRuns] | None:
    """All repetitions of a tracker; None, and a line in the log, when a sequence has no results."""
    gathered = {sequence.name: experiment.gather(tracker, sequence) for sequence in sequences}
    missing = [name for name, trajectories in gathered.items() if not trajectories]
    if missing:
        LOGGER.warning(
            "No %s results of %s for %d of %d sequences (%s): evaluate them first.",
            experiment.identifier,
            tracker.identifier,
            len(missing),
            len(gathered),
            ", ".join(missing[:3]),
        )
        return None
    return [_runs(sequence, gathered[sequence.name]) for sequence in sequences]


def _runs(sequence: Sequence, trajectories: list[Any]) -> SequenceRuns:
    truth = toolkit.to_trajectory(sequence.groundtruth())
    runs = [scored(toolkit.to_trajectory(item.regions()), truth, sequence.size) for item in trajectories]
    return SequenceRuns(sequence.name, runs, toolkit.tags_of(sequence))


class _ResetAnalysis(TrackerSeparableAnalysis):
    """Base of the analyses of reset-based experiments."""

    _experiment: Experiment | None = None

    def compatible(self, experiment: Experiment) -> bool:
        """Remember the experiment: the toolkit asks this when it reads the stack."""
        self._experiment = experiment
        return isinstance(experiment, SupervisedExperiment)

    @property
    def identifier(self) -> str:
        """The toolkit's key of its cache, which would otherwise keep the scores of results that have changed."""
        return f"{super().identifier}-{_fingerprint(self._experiment)}"

    @property
    def axes(self) -> Axes:
        return Axes.TRACKERS

    def subcompute(
        self, experiment: Experiment, tracker: Tracker, sequences: list[Sequence], dependencies: Any
    ) -> tuple[Any, ...]:
        runs = runs_of(experiment, tracker, sequences)
        return (None,) * len(self.describe()) if runs is None else self.evaluate(runs)

    def evaluate(self, runs: list[SequenceRuns]) -> tuple[Any, ...]:
        """The values of ``describe``."""
        raise NotImplementedError


def _fingerprint(experiment: Experiment | None) -> str:
    """Hash of names, sizes and times of the experiment's result files of all trackers."""
    root = getattr(getattr(experiment, "_storage", None), "base", None)
    digest = hashlib.sha256()
    if experiment is not None and root is not None:
        for file in sorted(Path(root).glob(f"results/*/{experiment.identifier}/*/*")):
            facts = file.stat()
            digest.update(f"{file} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


class ExpectedAverageOverlap(_ResetAnalysis):
    """EAO over the lengths ``low`` .. ``high`` and its curve."""

    low = Integer(val_min=2, default=measures.INTERVAL[0])
    high = Integer(val_min=2, default=measures.INTERVAL[1])

    @property
    def _title_default(self) -> str:
        return "Expected average overlap"

    def describe(self) -> tuple[Any, ...]:
        return (
            Measure("Expected average overlap", "EAO", 0, 1, Sorting.DESCENDING),
            Plot("Expected average overlap", "EAO curve", wrt="sequence length", minimal=0, maximal=1, trait="eao"),
        )

    def evaluate(self, runs: list[SequenceRuns]) -> tuple[Any, ...]:
        curve = measures.eao_curve(runs)
        score = _finite(measures.eao_score(curve, self.low, self.high))
        if score is None:
            LOGGER.warning("No EAO: the interval %d-%d begins after the longest sequence.", self.low, self.high)
        return score, [float(value) for value in curve]


class AccuracyFailures(_ResetAnalysis):
    """Accuracy pooled over all frames, total number of failures, and the AR plot."""

    burnin = Integer(val_min=0, default=measures.BURN_IN)
    sensitivity = Float(val_min=1, default=measures.SENSITIVITY)

    @property
    def _title_default(self) -> str:
        return "Accuracy and failures"

    def describe(self) -> tuple[Any, ...]:
        return (
            Measure("Accuracy", "A", 0, 1, Sorting.DESCENDING),
            Measure("Failures", "F", 0, None, Sorting.ASCENDING),
            Point(
                "AR plot",
                dimensions=2,
                abbreviation="AR",
                minimal=(0, 0),
                maximal=(1, 1),
                labels=("Robustness", "Accuracy"),
                trait="ar",
            ),
        )

    def evaluate(self, runs: list[SequenceRuns]) -> tuple[Any, ...]:
        score = measures.accuracy_failures(runs, burn_in=self.burnin)
        return score.accuracy, score.failures, measures.ar_point(score, self.sensitivity)


class AttributeAccuracyFailures(_ResetAnalysis):
    """Accuracy and failures by attribute, averaged with the attributes' frame counts: the published fractional ones."""

    burnin = Integer(val_min=0, default=measures.BURN_IN)

    @property
    def _title_default(self) -> str:
        return "By attribute"

    def describe(self) -> tuple[Any, ...]:
        return (
            Measure("Accuracy, attribute-weighted", "A (attributes)", 0, 1, Sorting.DESCENDING),
            Measure("Failures, attribute-weighted", "F (attributes)", 0, None, Sorting.ASCENDING),
        )

    def evaluate(self, runs: list[SequenceRuns]) -> tuple[Any, ...]:
        weighted = measures.attribute_weighted(measures.by_attribute(runs, self.burnin))
        return weighted.accuracy, weighted.failures
