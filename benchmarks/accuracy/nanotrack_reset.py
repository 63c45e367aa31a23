"""NanoTrack v3 on one sequence with resets, by camera and fusion: mean overlap (a failure counts 0) and failures.

    python benchmarks/nanotrack_reset.py --sequence DIR --weights nanotrackv3 [--threads 2]

The tracker is started again 5 frames after each failure, without burn-in. A long track can follow another path when
sums are taken in another order, so the number of torch's threads belongs to the result.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import torch

from nestfuse_core.common.errors import UserError
from rgbt_tracker import build_tracker
from rgbt_tracker.boxes import overlap
from rgbt_tracker.config import load_config
from rgbt_tracker.frames import FrameSequence
from rgbt_tracker.sequences import open_sequence

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


def run(tracker: Any, sequence: FrameSequence, skip: int = 5) -> tuple[float, list[int]]:
    """Mean overlap of the tracked frames and the frames (0-based) of the failures."""
    truth = sequence.groundtruth
    assert truth is not None
    overlaps, failures, frame, running = [], [], 0, False
    while frame < len(sequence):
        pair = sequence.frame(frame)
        if not running:
            tracker.initialize(pair.rgb, pair.ir, truth[frame])
            running = True
        else:
            overlaps.append(float(overlap(tracker.update(pair.rgb, pair.ir).box, truth[frame])))
            if overlaps[-1] == 0:
                failures.append(frame)
                running, frame = False, frame + skip - 1
        frame += 1
    return float(np.mean(overlaps)), failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequence", required=True)
    parser.add_argument("--weights", default="nanotrackv3")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = load_config("nestfuse_nanotrack")
    try:
        sequence = open_sequence(arguments.sequence)
        configs = {name: config.replace(**changes) for name, changes in SETTINGS.items()}
        trackers = {name: build_tracker(configs[name], arguments.weights, "cpu") for name in configs}
    except UserError as error:
        parser.error(str(error))
    print("| setting | mean overlap | failures |\n|---|---|---|")
    for name, tracker in trackers.items():
        mean, failures = run(tracker, sequence)
        print(f"| {name} | {mean:.3f} | {len(failures)} |", flush=True)


if __name__ == "__main__":
    main()
