"""Results with resets as the reset measures take them: repetitions compared with the ground truth of their sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.benchmark import Regions, load_regions
from rgbt_tracker.results.find import TrackerResults, find_results
from rgbt_tracker.results.read import read_trajectory
from rgbt_tracker.results.region_overlap import Size, overlaps
from rgbt_tracker.results.trajectory import FAILED, Trajectory

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Run:
    """One repetition on one sequence, scored: overlaps (N,), NaN on special frames, and codes (N,) of a trajectory."""

    overlaps: Array
    codes: NDArray[np.int64]

    @property
    def failures(self) -> NDArray[np.int64]:
        """Frames at which the tracker failed, ascending."""
        return np.flatnonzero(self.codes == FAILED)


def scored(track: Trajectory, truth: Trajectory, size: Size | None) -> Run:
    """Compare a trajectory with the ground truth of its sequence.

    Args:
        track, truth: of N frames.
        size: image (width, height), beyond which pixels do not count; None: no border.
    """
    return Run(overlaps(track.regions, truth.regions, size), track.codes)


@dataclass(frozen=True)
class SequenceRuns:
    """All repetitions on one sequence, and its attributes: tag -> (N,) bool."""

    name: str
    runs: list[Run]
    tags: dict[str, Mask] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return len(self.runs[0].codes)


def load_runs(results: Path, ground_truth: Path, sequences: Sequence[str] | None = None) -> list[SequenceRuns]:
    """Read every repetition of every sequence and compare it with the ground truth.

    Args:
        results: a folder of one tracker's results with resets (`rgbt_tracker.results.find.find_results`).
        ground_truth: folder of ``NAME.txt`` with sizes in ``sequences.json``, or of a data set in the VOT layout.
        sequences: names to take; all of the ground truth by default.

    Raises:
        UserError: missing sequences or results, results of several trackers, or lengths that differ.
    """
    truths = load_regions(ground_truth, sequences)
    trackers = [tracker for tracker in find_results([results], truths) if tracker.kind == "reset"]
    if len(trackers) != 1:
        found = ", ".join(tracker.name for tracker in trackers) or "none"
        raise UserError(f"Expected results with resets of one tracker in '{results}', found {found}; name its folder.")
    return runs_of(trackers[0], truths)


def runs_of(tracker: TrackerResults, truths: Mapping[str, Regions]) -> list[SequenceRuns]:
    """Read every repetition of a tracker on the given sequences and compare it with their ground truth.

    Raises:
        UserError: missing results, or lengths that differ.
    """
    missing = [name for name in truths if name not in tracker.files]
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise UserError(
            f"Expected results of {len(truths)} sequences in '{tracker.folder}', {len(missing)} are missing ({shown}); "
            "run them, or name those to score with --sequences."
        )
    return [scored_runs(item, [read_trajectory(file) for file in tracker.files[name]]) for name, item in truths.items()]


def scored_runs(regions: Regions, tracks: Sequence[Trajectory]) -> SequenceRuns:
    """Compare the repetitions on a sequence with its ground truth.

    Raises:
        UserError: a repetition of another length.
    """
    for track in tracks:
        if len(track) != len(regions.truth):
            raise UserError(
                f"Expected {len(regions.truth)} frames in '{track.source or regions.name}', the length of the ground "
                f"truth, got {len(track)}."
            )
    runs = [scored(track, regions.truth, regions.size) for track in tracks]
    return SequenceRuns(regions.name, runs, regions.tags)
