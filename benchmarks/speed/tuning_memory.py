"""What `rgbt tune` saves by remembering the network's answers.

    python benchmarks/speed/tuning_memory.py [--config nestfuse_nanotrack] [--weights NAME|FILE]

Every setting is scored twice in turn, with an empty-handed network and with one that remembers the settings before it;
the scores must be equal. Ratios compare the two within this run, in processor time, so that a busy machine does not
matter much. With untrained weights the box jumps about and little is seen twice; measure with trained ones.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import torch
from timing import command_line, timed

from nestfuse_core.common.guard import run
from rgbt_tracker.config import load_config
from rgbt_tracker.evaluation.job import Setup
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


def main(args: list[str] | None = None) -> None:
    """Print one line a trial and the sums."""
    parser = command_line(__doc__)
    parser.add_argument("--config", default="nestfuse_nanotrack")
    parser.add_argument("--weights", default=None)
    parser.add_argument("--sequences", type=int, default=3)
    parser.add_argument("--length", type=int, default=60)
    options = parser.parse_args(args)
    torch.set_num_threads(1)
    setup = Setup(load_config(options.config), options.weights, "cpu")
    frames = drawn_set(options.sequences, options.length)
    for sequence in frames.values():
        for _ in sequence:  # draw once, before the clock runs
            pass
    evaluators = {"plain": Evaluator(setup, memory=Memory(limit=0)), "remembering": Evaluator(setup)}
    memory = evaluators["remembering"].memory
    sums = dict.fromkeys(evaluators, 0.0)
    print(f"{'trial':<16}{'regions seen before':>20}{'plain':>10}{'memory':>10}{'ratio':>8}")
    for name, setting in trials(configured(setup.config)):
        hits, misses = memory.hits.get("search", 0), memory.misses.get("search", 0)
        scores, seconds = {}, {}
        for label, evaluator in evaluators.items():
            times, scores[label] = timed(partial(list, map(partial(evaluator, setting), frames.values())))
            seconds[label] = times.processor
            sums[label] += times.processor
        assert scores["plain"] == scores["remembering"], "remembered answers changed a score"
        new = memory.hits.get("search", 0) - hits
        line(name, new / (new + memory.misses["search"] - misses), seconds)
    line("all", memory.rate("search"), sums)


def line(name: str, share: float, seconds: dict[str, float]) -> None:
    """Print the share of regions seen before, the seconds and their ratio."""
    plain, remembering = seconds["plain"], seconds["remembering"]
    print(f"{name:<16}{share:>20.0%}{plain:>9.1f}s{remembering:>9.1f}s{plain / remembering:>8.2f}")


if __name__ == "__main__":
    run(main)
