"""NanoTrack v3 on one sequence with resets, by camera and fusion: mean overlap (a failure counts 0) and failures.

    python benchmarks/accuracy/nanotrack_reset.py --sequence DIR --weights nanotrackv3 [--threads 2]

The tracker is started again 5 frames after each failure, without burn-in. A long track can follow another path when
sums are taken in another order, so the number of torch's threads belongs to the result.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run
from rgbt_tracker.boxes import overlap
from rgbt_tracker.config import load_config
from rgbt_tracker.evaluation.job import Job, OnClip, Setup, Source
from rgbt_tracker.evaluation.reset import Answer, run_resets
from rgbt_tracker.evaluation.runner import Worker, run_jobs
from rgbt_tracker.evaluation.store import Unkept
from rgbt_tracker.locate import open_sequence
from rgbt_tracker.results.trajectory import FAILED, TRACKED, Trajectory
from rgbt_tracker.sequences.base import FrameSequence

SETTINGS: dict[str, dict[str, Any]] = {
    "RGB": {"modality": "rgb"},
    "thermal": {"modality": "ir"},
    "mean": {"model.fusion.strategy": "mean"},
    "l1 + avg": {},
    "l1 + nuclear": {"model.fusion.channel": "nuclear"},
    "softmax + avg": {"model.fusion.spatial": "softmax"},
    "l1 + max": {"model.fusion.channel": "max"},
    "reliable": {"model.fusion.strategy": "reliable"},
}


@dataclass(frozen=True)
class BoxReset(OnClip):
    """A run with resets in which a failure is a box that misses the ground truth's, borders of the picture or not."""

    def follow(self, tracker: Any, clip: FrameSequence) -> Trajectory:
        truth = clip.groundtruth
        if truth is None:
            raise UserError(f"The sequence '{clip.name}' has no ground truth, which a run with resets needs.")

        def initialize(frame: int) -> float:
            pair = clip.frame(frame)
            tracker.initialize(pair.rgb, pair.ir, truth[frame])
            return math.nan

        def update(frame: int) -> Answer:
            pair = clip.frame(frame)
            result = tracker.update(pair.rgb, pair.ir)
            return Answer(np.asarray(result.box, np.float64), float(result.score), math.nan)

        return run_resets(len(clip), initialize, update, lambda frame, box: float(overlap(box, truth[frame])))


def scores(track: Trajectory, truth: np.ndarray) -> tuple[float, int]:
    """Mean overlap of the frames the tracker was asked on, 0 where it failed, and the number of failures."""
    tracked, failures = track.codes == TRACKED, int(np.sum(track.codes == FAILED))
    total = np.sum(overlap(track.boxes[tracked], truth[tracked]))
    return float(total / (tracked.sum() + failures)), failures


def main(args: list[str] | None = None) -> None:
    """Print a row a setting.

    Raises:
        UserError: no such sequence or weights, or a sequence without ground truth.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequence", required=True)
    parser.add_argument("--weights", default="nanotrackv3")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(args)
    torch.set_num_threads(options.threads)
    config = load_config("nanotrack_v3")
    source, worker = Source(open_sequence, (options.sequence,), cached=True), Worker(Unkept())
    jobs = [
        Job(name, Setup(config.replace(**changes), options.weights, "cpu"), source, BoxReset())
        for name, changes in SETTINGS.items()
    ]
    print("| setting | mean overlap | failures |\n|---|---|---|")
    for job, track in run_jobs(jobs, worker):
        truth = worker.sequence(source).groundtruth
        assert truth is not None  # the run with resets needs it
        mean, failures = scores(track, truth)
        print(f"| {job} | {mean:.3f} | {failures} |", flush=True)


if __name__ == "__main__":
    run(main)
