"""From folders of results to everything that is known about them: ``score_results``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rgbt_tracker.evaluation.benchmark import chosen_protocol, common_sequences, load_regions, read_benchmark
from rgbt_tracker.evaluation.comparison import OnePassComparison, compare_one_pass
from rgbt_tracker.evaluation.diagnosis import Diagnosis, diagnose_all
from rgbt_tracker.evaluation.groundtruth import find_sequences
from rgbt_tracker.evaluation.opened import open_sequences
from rgbt_tracker.evaluation.reset_comparison import ResetComparison, compare_with_resets
from rgbt_tracker.evaluation.reset_measures import INTERVAL
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
    once_common = common_sequences({each.name: each.files for each in once}, benchmark.sequences) if benchmark else None
    again_common = common_sequences({each.name: each.files for each in again}, truths) if again else None
    runs = {tracker.name: read_results(tracker, benchmark.sequences if benchmark else ()) for tracker in once}
    repeated = {tracker.name: read_results(tracker) for tracker in again}
    tracks = {tracker: {name: each[0] for name, each in by.items()} for tracker, by in (runs | repeated).items()}
    ran = sorted({name for by in tracks.values() for name in by})
    lengths = {name: max(len(by[name]) for by in tracks.values() if name in by) for name in ran}
    sequences = open_sequences(root, found, lengths, rig)
    reset = compare_with_resets(truths, repeated, again_common, interval) if again_common else None
    diagnoses = diagnose_all(tracks, sequences, reset.overlaps if reset else {})
    one_pass = None
    if benchmark and once_common:
        one_pass = compare_one_pass(benchmark, {name: tracks[name] for name in runs}, diagnoses, once_common)
    return Scored(trackers, sequences, tracks, diagnoses, one_pass, basis, reset)
