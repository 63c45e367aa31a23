"""From folders of results to everything that is known about them: ``score_results``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation import reset_measures as measures
from rgbt_tracker.evaluation.benchmark import Benchmark, Regions, load_regions, read_benchmark
from rgbt_tracker.evaluation.comparison import OnePassComparison, compare_one_pass
from rgbt_tracker.evaluation.diagnosis import Diagnosis, diagnose_all
from rgbt_tracker.evaluation.groundtruth import find_sequences
from rgbt_tracker.evaluation.one_pass import evaluate
from rgbt_tracker.evaluation.opened import open_sequences
from rgbt_tracker.evaluation.protocols import chosen_protocol
from rgbt_tracker.evaluation.reset_comparison import ResetComparison, compare_with_resets
from rgbt_tracker.evaluation.reset_measures import INTERVAL
from rgbt_tracker.evaluation.reset_runs import scored_runs
from rgbt_tracker.results.find import EXPERIMENT, TrackerResults, find_results
from rgbt_tracker.results.read import read_results
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.sequences.base import FrameSequence


@dataclass(frozen=True)
class Scored:
    """Results of several trackers, scored.

    Attributes:
        trackers: in the order of their folders.
        sequences: those with results, by name.
        tracks: tracker -> sequence -> trajectory, the first repetition.
        diagnoses: tracker -> sequence -> what happened in each frame.
        one_pass: scores of the trackers that ran once; None where there are none.
        protocol: by which rules, in a sentence.
        reset: scores of those that were started again after failures; None where there are none.
    """

    trackers: list[TrackerResults]
    sequences: dict[str, FrameSequence]
    tracks: dict[str, dict[str, Trajectory]]
    diagnoses: dict[str, dict[str, Diagnosis]]
    one_pass: OnePassComparison | None
    protocol: str
    reset: ResetComparison | None

    @property
    def numbers(self) -> dict[str, int]:
        """Tracker -> its number, which decides its colour."""
        return {tracker.name: number for number, tracker in enumerate(self.trackers)}


def score_results(
    results: Sequence[Path],
    root: Path,
    *,
    protocol: str | None = None,
    pixels: float | None = None,
    interval: tuple[int, int] = INTERVAL,
    experiment: str = EXPERIMENT,
    rig: str | None = None,
) -> Scored:
    """Find, read and score results, one pass and with resets.

    Args:
        results: folders of results (`rgbt_tracker.results.find.find_results`).
        root: folder with the sequences, or with their ground truth alone.
        protocol: the benchmark by whose rules one pass is scored where its own settings name none.
        pixels: radius of the precision score; None for the protocol's.
        interval: sequence lengths over which VOT's EAO averages.
        experiment: the VOT experiment to read.
        rig: file of the rig that all sequences were recorded with; None for the one beside each.

    Raises:
        UserError: results, sequences or ground truth that are missing or do not fit together.
    """
    found = find_sequences(root)
    trackers = find_results(results, found, experiment)
    once = [tracker for tracker in trackers if tracker.kind == "one-pass"]
    again = [tracker for tracker in trackers if tracker.kind == "reset"]
    made_for = {tracker.name: tracker.benchmark for tracker in once if tracker.benchmark}
    key, rules, basis = chosen_protocol(made_for, protocol, pixels)
    names = {name for tracker in once for name in tracker.files}
    benchmark = read_benchmark(key, rules, root, names) if once else None
    truths = load_regions(root, sorted({name for tracker in again for name in tracker.files})) if again else {}
    runs = {tracker.name: read_results(tracker, benchmark.sequences if benchmark else ()) for tracker in once}
    repeated = {tracker.name: read_results(tracker) for tracker in again}
    tracks = {tracker: {name: each[0] for name, each in by.items()} for tracker, by in (runs | repeated).items()}
    sequences = open_sequences(root, found, tracks.values(), rig)
    reset = score_with_resets(truths, repeated, interval) if again else None
    diagnoses = diagnose_all(tracks, sequences, reset.overlaps if reset else {})
    one_pass = score_one_pass(benchmark, {name: tracks[name] for name in runs}, diagnoses) if benchmark else None
    return Scored(trackers, sequences, tracks, diagnoses, one_pass, basis, reset)


def common_sequences(files: Mapping[str, Iterable[str]], order: Iterable[str]) -> tuple[list[str], list[str]]:
    """Split the sequences of ``order`` that any tracker ran into those that all ran and the others.

    Args:
        files: tracker -> names of its sequences.
        order: the sequences that count.

    Raises:
        UserError: there is no common one.
    """
    have = {tracker: set(names) for tracker, names in files.items()}
    everything = [name for name in order if any(name in names for names in have.values())]
    common = [name for name in everything if all(name in names for names in have.values())]
    if not common:
        raise UserError(f"The trackers {', '.join(have)} have no sequence in common, so there is nothing to compare.")
    return common, [name for name in everything if name not in common]


def score_with_resets(
    truths: Mapping[str, Regions], tracks: Mapping[str, Mapping[str, Sequence[Trajectory]]], interval: tuple[int, int]
) -> ResetComparison:
    """Score results with resets on the sequences that all trackers ran, and compare them.

    Args:
        truths: sequence -> what it is compared with.
        tracks: tracker -> sequence -> repetitions.
        interval: lengths over which the EAO curve is averaged.

    Raises:
        UserError: no common sequence, or results of another length.
    """
    common, left_out = common_sequences(tracks, truths)
    runs = {tracker: [scored_runs(truths[name], each[name]) for name in common] for tracker, each in tracks.items()}
    scores = {tracker: measures.score(each, *interval) for tracker, each in runs.items()}
    figures = {tracker: measures.statistics(each, *interval) for tracker, each in runs.items()}
    return compare_with_resets(runs, scores, figures, left_out)


def score_one_pass(
    benchmark: Benchmark,
    tracks: Mapping[str, Mapping[str, Trajectory]],
    diagnoses: Mapping[str, Mapping[str, Diagnosis]],
) -> OnePassComparison:
    """Score results of one pass on the sequences that all trackers ran, and compare them.

    Args:
        benchmark: rules and annotations.
        tracks: tracker -> sequence -> trajectory.
        diagnoses: of the same trajectories.

    Raises:
        UserError: no common sequence, or a result with too few frames.
    """
    common, left_out = common_sequences(tracks, benchmark.sequences)
    scores = {
        tracker: evaluate(benchmark, tracker, {name: each[name] for name in common}, partial=True)
        for tracker, each in tracks.items()
    }
    return compare_one_pass(benchmark, scores, diagnoses, left_out)
