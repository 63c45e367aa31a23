"""Mean one-pass IoU, and failures in runs with resets, of the fusion designs on drawn sequences, in closed loop.

    python benchmarks/accuracy/reliability.py --config nestfuse_nanotrack [--weights F] --count 33 --length 70
    python benchmarks/accuracy/reliability.py --varied 60 --failing 0.6 [--photos DIR] [--design gate --design RGB]
    python benchmarks/accuracy/reliability.py --count 0 --varied 60 --first 120 --distant --length 90 --failing 0.5
    python benchmarks/accuracy/reliability.py --count 0 --crowd 60 --length 100 --blind 0.4 --failing 0.3 --short
    python benchmarks/accuracy/reliability.py --count 0 --video vtest.avi --length 41 --scale 0.5 --blind 0.35

``--varied`` adds random scenes with smaller targets (from number ``--first`` on), in every second of which everybody is
smaller still with ``--distant``, ``--crowd`` small people among people; in the share ``--blind`` of all scenes a camera
sees nothing from the first frame on, in ``--failing`` of the others it fails later. ``--short`` tracks 35 frames from
frame 0 and from frame 45 instead of everything, and counts the tracks that lost the target as failures: more starts in
the same time. Every design runs over every sequence with the same weights. "gate" is the configuration's own; the rows
below it are that without each of its numbers. ``--changes`` adds the configuration's own but for some settings (the
gate's, or dotted ones of the configuration), ``--part train`` takes the scenes to which a gate may be fitted.
``--video`` adds people who walk before a camera at rest, with a rendered thermal camera (`walkers.py`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from walkers import Walkers

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run
from rgbt_tracker.boxes import overlap
from rgbt_tracker.config import load_config
from rgbt_tracker.evaluation.ablation import ScoredOnePass, ScoredReset
from rgbt_tracker.evaluation.job import Experiment, Job, OnePass, Setup, Source
from rgbt_tracker.evaluation.reset_measures import accuracy_failures
from rgbt_tracker.evaluation.runner import Worker, run_jobs
from rgbt_tracker.evaluation.store import Unkept
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.synthetic import draw_sequence, split
from rgbt_tracker.synthetic.random_scenes import draw_crowd, draw_random, random_seeds
from rgbt_tracker.training.augmentation.corrupted_sequences import initially_corrupted, temporarily_corrupted
from rgbt_tracker.training.calibration import NUMBERS
from rgbt_tracker.training.data.photos import list_photos

SMALLEST = 8
"""Targets with a shorter side (px) are left out."""
Row = tuple[float, float]
"""Mean IoU and failures."""
STARTS, FRAMES = (0, 45), 35
"""Where the tracks of ``--short`` start, and how long they are."""


def gate(**settings: float) -> dict[str, Any]:
    """Changes to a configuration that switch its gate on, with these settings of it."""
    return {"model.fusion.strategy": "reliable"} | {f"model.fusion.reliability.{k}": v for k, v in settings.items()}


DESIGNS: dict[str, dict[str, Any]] = {
    "gate": gate(),
    "RGB": {"modality": "rgb"},
    "thermal": {"modality": "ir"},
    "paper": {"model.fusion.strategy": "attention"},
    "equal weights": gate(now=0.0, memory=0.0),
    **{f"without {name}": gate(**change) for name, change in NUMBERS.items()},
}


def given_changes(text: str) -> tuple[str, dict[str, Any]]:
    """``"now=1,tracking.window=0.3"``: the text as the design's name, and what it changes."""
    pairs = [part.partition("=") for part in text.split(",")]
    try:
        return text, gate() | {
            key if "." in key else f"model.fusion.reliability.{key}": float(value) for key, _, value in pairs
        }
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected SETTING=NUMBER with commas, got '{text}'") from None


def main(args: list[str] | None = None) -> None:
    """Print a line a scene, and the table.

    Raises:
        UserError: bad input, or no scene with a target to start from.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="nestfuse_nanotrack")
    parser.add_argument("--weights")
    parser.add_argument("--part", default="validation", choices=["train", "validation", "test"])
    parser.add_argument("--count", type=int, default=33)
    parser.add_argument("--length", type=int, default=70)
    parser.add_argument("--varied", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="how many varied scenes to leave out")
    parser.add_argument("--crowd", type=int, default=0)
    parser.add_argument("--distant", action="store_true", help="every second varied scene with smaller targets")
    parser.add_argument("--video", type=Path, help="people walking before a camera at rest, as in OpenCV's vtest.avi")
    parser.add_argument("--walks", type=int, help="how many of the video's, from --first on [default: all]")
    parser.add_argument("--scale", type=float, default=1.0, help="of the video's pictures")
    parser.add_argument("--photos", type=Path, help="photographs, backgrounds of half of the varied scenes")
    parser.add_argument("--failing", type=float, default=0.0)
    parser.add_argument("--blind", type=float, default=0.0)
    parser.add_argument("--short", action="store_true", help="short tracks from two starts a scene")
    parser.add_argument("--design", action="append", choices=list(DESIGNS), help="only these; may be repeated")
    parser.add_argument("--changes", action="append", type=given_changes, default=[], help="SETTING=NUMBER[,...]")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args(args)
    given = dict(arguments.changes)
    designs = {name: DESIGNS[name] for name in arguments.design or ([] if given else DESIGNS)} | given
    config = load_config(arguments.config)
    setups = {
        name: Setup(config.replace(**changes), arguments.weights, arguments.device) for name, changes in designs.items()
    }
    worker = Worker(Unkept(), models=len(setups))
    rows: dict[str, list[Row]] = {name: [] for name in setups}
    measure = short_tracks if arguments.short else whole_tracks
    for sequence in sequences(arguments):
        found = measure(worker, setups, sequence)
        if not all(found.values()):
            continue
        for name, scores in found.items():
            rows[name] += scores
        line = ", ".join(f"{name} {scores[-1][0]:.3f} / {scores[-1][1]:.0f}" for name, scores in rows.items())
        print(f"{sequence.name}: {line}", flush=True)
    if not all(rows.values()):
        raise UserError("Expected scenes with a target to start from, found none; ask for more or longer ones.")
    print_table({name: np.array(scores) for name, scores in rows.items()})


def results(
    worker: Worker, setups: dict[str, Setup], sequence: FrameSequence, experiments: Mapping[str, Experiment]
) -> dict[tuple[str, str], Any]:
    """What every experiment returns for every design on one sequence, by the names of both."""
    source = Source(lambda: sequence)
    jobs = [
        Job(f"{design}/{name}", setup, source, experiment)
        for design, setup in setups.items()
        for name, experiment in experiments.items()
    ]
    found = [result for _, result in run_jobs(jobs, worker)]
    return dict(zip(product(setups, experiments), found, strict=True))


def whole_tracks(worker: Worker, setups: dict[str, Setup], sequence: FrameSequence) -> dict[str, list[Row]]:
    """Mean IoU of one pass, and failures of the run with resets."""
    experiments = {"one-pass": ScoredOnePass(read_ahead=False), "reset": ScoredReset()}
    found = results(worker, setups, sequence, experiments)
    failures = {name: accuracy_failures([found[name, "reset"].runs(sequence.name)]).failures for name in setups}
    return {name: [(found[name, "one-pass"].mean_iou, failures[name])] for name in setups}


def short_tracks(worker: Worker, setups: dict[str, Setup], sequence: FrameSequence) -> dict[str, list[Row]]:
    """For each of `STARTS` with a target: mean IoU of `FRAMES` frames, and 1 if one of them misses it."""
    truth = sequence.groundtruth
    assert truth is not None
    # The first box is given, not found.
    parts = {start: truth[start + 1 : start + 1 + FRAMES] for start in STARTS}
    present = {start: ~np.isnan(part).any(1) for start, part in parts.items()}
    starts = [start for start in STARTS if present[start].any() and min(truth[start, 2:]) >= SMALLEST]
    experiments = {str(start): OnePass(start=start, length=FRAMES + 1, read_ahead=False) for start in starts}
    found = results(worker, setups, sequence, experiments)
    rows: dict[str, list[Row]] = {design: [] for design in setups}
    for design, start in product(setups, starts):
        boxes = found[design, str(start)].boxes[1:]
        overlaps = overlap(boxes[present[start]], parts[start][present[start]])
        rows[design].append((float(np.mean(overlaps)), float(np.min(overlaps) <= 0)))
    return rows


def print_table(results: dict[str, NDArray[np.float64]]) -> None:
    """One row a design, against the first of them; ``results`` holds (tracks, 2) mean IoU and failures."""
    singles = [results[name][:, 0] for name in ("RGB", "thermal") if name in results]
    better = np.max(singles, 0) if len(singles) == 2 else np.nan
    first, *_ = results.values()
    print("\n| design | mean IoU | minus the first | standard error | below the better camera | failures |")
    print("|---|---|---|---|---|---|")
    for name, scores in results.items():
        iou = scores[:, 0]
        gap = iou - first[:, 0]
        error = np.std(gap, ddof=1) / len(gap) ** 0.5 if len(gap) > 1 else np.nan
        below = np.mean(np.maximum(better - iou, 0))
        figures = f"{np.mean(iou):.4f} | {np.mean(gap):+.4f} | {error:.4f} | {below:.3f} | {scores[:, 1].sum():.0f}"
        print(f"| {name} | {figures} |")


def sequences(arguments: argparse.Namespace) -> Iterator[FrameSequence]:
    """The drawn scenes that were asked for, each frame drawn once."""
    photos = list_photos(arguments.photos, 1) if arguments.photos else []
    makers: list[Callable[[], FrameSequence | None]] = [
        partial(draw_sequence, scene, length=arguments.length, seed=seed)
        for scene, seed in split(arguments.part, arguments.count)
    ]
    seeds = random_seeds(arguments.part, arguments.first + arguments.varied)[arguments.first :]
    makers += [
        partial(draw_random, seed, arguments.length, photos, arguments.distant and number % 2 == 1)
        for number, seed in enumerate(seeds, arguments.first)
    ]
    makers += [
        partial(draw_crowd, seed, arguments.length, photos)
        for seed in random_seeds(arguments.part, arguments.first + arguments.crowd)[arguments.first :]
    ]
    if arguments.video:
        walkers = Walkers(arguments.video, arguments.length, arguments.scale)
        numbers = range(len(walkers))[arguments.first :][: arguments.walks]
        makers += [partial(walkers.sequence, number) for number in numbers]
    for number, make in enumerate(makers, arguments.first):
        scene = make()
        if scene is None:
            continue
        corrupted = initially_corrupted(scene, number, arguments.blind)
        if not corrupted.corrupted:
            corrupted = temporarily_corrupted(scene, number, arguments.failing)
        sequence = corrupted.cached()
        box = sequence.info.start_box
        if box is not None and min(box[2:]) >= SMALLEST:
            yield sequence


if __name__ == "__main__":
    run(main)
