"""What `rgbt tune` saves by remembering the network's answers.

    python benchmarks/tuning_memory.py [--config nestfuse_nanotrack] [--weights NAME|FILE] [--sequences 3] [--length 60]

Every setting is scored twice in turn, with an empty-handed network and with one that remembers the settings before it;
the scores must be equal. Ratios compare the two within this run, in processor time, so that a busy machine does not
matter much. With untrained weights the box jumps about and little is seen twice; measure with trained ones.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from typing import Any

import torch

from rgbt_tracker.config import load_config
from rgbt_tracker.tuning.evaluator import Evaluator, Setting, configured
from rgbt_tracker.tuning.memory import Memory
from rgbt_tracker.tuning.sets import drawn_set


def trials(default: Setting) -> list[tuple[str, Setting]]:
    """The kinds of steps that a search makes, from the default."""
    steps: list[tuple[str, dict[str, Any]]] = [
        ("default", {}),
        ("window - 0.10", {"window": default.window - 0.10}),
        ("window + 0.10", {"window": default.window + 0.10}),
        ("window + 0.05", {"window": default.window + 0.05}),
        ("penalty + 0.01", {"penalty": default.penalty + 0.01}),
        ("lr + 0.01", {"lr": default.lr + 0.01}),
        ("all three", {"window": default.window * 0.8, "penalty": default.penalty * 0.7, "lr": default.lr * 1.3}),
    ]
    return [(name, dataclasses.replace(default, **changes)) for name, changes in steps]


def main() -> None:
    """Print one line a trial and the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="nestfuse_nanotrack")
    parser.add_argument("--weights", default=None)
    parser.add_argument("--sequences", type=int, default=3)
    parser.add_argument("--length", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config(options.config)
    frames = drawn_set(options.sequences, options.length)
    for sequence in frames.values():
        for _ in sequence:  # draw once, before the clock runs
            pass
    plain = Evaluator(config, options.weights, "cpu", memory=Memory(limit=0))
    remembering = Evaluator(config, options.weights, "cpu")
    sums = {"plain": 0.0, "remembering": 0.0}
    print(f"{'trial':<16}{'regions seen before':>20}{'plain':>10}{'memory':>10}{'ratio':>8}")
    for name, setting in trials(configured(config)):
        hits, misses = (dict(remembering.memory.hits), dict(remembering.memory.misses))
        seconds, scores = {}, {}
        for label, evaluator in (("plain", plain), ("remembering", remembering)):
            clock = time.process_time()
            scores[label] = [evaluator(setting, sequence) for sequence in frames.values()]
            seconds[label] = time.process_time() - clock
            sums[label] += seconds[label]
        assert scores["plain"] == scores["remembering"], "remembered answers changed a score"
        new = remembering.memory.hits.get("search", 0) - hits.get("search", 0)
        share = new / (new + remembering.memory.misses["search"] - misses.get("search", 0))
        ratio = seconds["plain"] / seconds["remembering"]
        print(f"{name:<16}{share:>20.0%}{seconds['plain']:>9.1f}s{seconds['remembering']:>9.1f}s{ratio:>8.2f}")
    total = sums["plain"] / sums["remembering"]
    rate = remembering.memory.rate("search")
    print(f"{'all':<16}{rate:>20.0%}{sums['plain']:>9.1f}s{sums['remembering']:>9.1f}s{total:>8.2f}")


if __name__ == "__main__":
    main()
