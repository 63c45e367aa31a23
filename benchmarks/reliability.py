"""Mean one-pass IoU of the fusion designs on drawn sequences, in closed loop.

    python benchmarks/reliability.py --config nestfuse_nanotrack [--weights F] --part validation --count 33 --length 70

Every design runs over every sequence with the same weights. "reliable" is the configuration's own gate; the rows below
it are the default one, and that with its parts taken away one by one.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from rgbt_tracker import build_tracker
from rgbt_tracker.config import load_config
from rgbt_tracker.data.synthetic import draw_sequence, split
from rgbt_tracker.evaluation.scores import one_pass_scores
from rgbt_tracker.sequences.remembered import Remembered
from rgbt_tracker.tracking.run import track_sequence


def gate(**settings: Any) -> dict[str, Any]:
    """Changes to a configuration that switch the gate on with these settings."""
    return {"model.fusion.strategy": "reliable", "model.fusion.reliability": settings}


DESIGNS: dict[str, dict[str, Any]] = {
    "RGB": {"modality": "rgb"},
    "thermal": {"modality": "ir"},
    "paper (l1 + avg)": {"model.fusion.strategy": "attention"},
    "reliable": {"model.fusion.strategy": "reliable"},
    "reliable, default gate": gate(),
    "gains doubled": gate(gains=(0.36, 0.36, 1.5, 4.0)),
    "equal weights": gate(gains=(0.0, 0.0, 0.0, 0.0)),
    "without memory": gate(gains=(0.36, 0.0, 2.75, 0.0)),
    "without rivals": gate(rivals=0.0),
    "without the joint branch": gate(branches="modalities"),
    "mixture instead of product": gate(combine="mixture"),
    "mixture, equal weights": gate(combine="mixture", gains=(0.0, 0.0, 0.0, 0.0)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="nestfuse_siamrpn_mobilev2")
    parser.add_argument("--weights")
    parser.add_argument("--part", default="validation", choices=["train", "validation", "test"])
    parser.add_argument("--count", type=int, default=33)
    parser.add_argument("--length", type=int, default=70)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    trackers = {
        name: build_tracker(config.replace(**changes), arguments.weights, arguments.device)
        for name, changes in DESIGNS.items()
    }
    results: dict[str, list[float]] = {name: [] for name in DESIGNS}
    for scene, seed in split(arguments.part, arguments.count):
        sequence = Remembered(draw_sequence(scene, length=arguments.length, seed=seed))
        for name, tracker in trackers.items():
            track = track_sequence(tracker, sequence)
            results[name].append(one_pass_scores(track.boxes, sequence.groundtruth)["mean_iou"])
        print(
            f"{scene} {seed}: " + ", ".join(f"{name} {scores[-1]:.3f}" for name, scores in results.items()), flush=True
        )
    better = np.maximum(results["RGB"], results["thermal"])
    print("\n| design | mean IoU | below the better camera by, on average |\n|---|---|---|")
    for name, scores in results.items():
        print(f"| {name} | {np.mean(scores):.3f} | {np.mean(np.maximum(better - scores, 0)):.3f} |")


if __name__ == "__main__":
    main()
