"""What becomes of a track when a camera is missing or lies for a while, and after its return.

    python benchmarks/accuracy/missing_camera.py --results missing.json --sequence DIR --sequence DIR --drawn 6
    python benchmarks/accuracy/missing_camera.py --results missing.json --drawn 6 --config nestfuse_nanotrack

A run with both cameras is stopped at ``--start`` frames (counted from 0), and from each one camera is missing, frozen,
black or noise for 1, 10, 30 and 100 frames, then back for ``--after`` frames; frames go through the same watch as those
of `rgbt track`. Beside each stands what the undisturbed tracker and that of the camera that is left make of the same
frames. FILE keeps what was measured: a run that was interrupted goes on, and one with other arguments adds to it. The
tables have all that is in FILE, means over both cameras: the overlap during the disturbance, of the tracker of the
camera that is left and of the undisturbed one; after it, and of the undisturbed one; and the mean scores, during it, of
lost (overlap below 0.1) and kept targets (above 0.5).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import write_text
from nestfuse_core.common.guard import run
from rgbt_tracker import build_tracker, open_sequence
from rgbt_tracker.boxes import overlap
from rgbt_tracker.config import MODALITIES
from rgbt_tracker.sequences.base import Frame, FrameSequence
from rgbt_tracker.sequences.watched import watch
from rgbt_tracker.synthetic import draw_sequence, split
from rgbt_tracker.tracking.tracker import Tracker
from rgbt_tracker.training.augmentation.corrupted_sequences import CorruptedSequence, black, frozen, noise

CONFIGS = ("nestfuse_nanotrack",)
LENGTHS = (1, 10, 30, 100)
MEANS = ("during", "alone", "both", "after", "after_both")
State = dict[str, NDArray[Any]]
Row = dict[str, Any]
KINDS = {
    "missing": lambda rng: lambda image, good, age: None,
    "frozen": frozen,
    "black": black,
    "noise": noise,
}
LEAD = 12
"""Undisturbed frames that the watch sees first."""
LOST, KEPT = 0.1, 0.5
"""Overlap below which a target is lost, and above which it is kept."""
Judged = NDArray[np.float64]
"""(N, 2) overlap with the truth, NaN where there is none, and score."""


class Case:
    """One sequence under one configuration: its undisturbed tracks, and the state of both cameras' at every start.

    Attributes:
        both, alone: the undisturbed track of both cameras, and of "rgb" and "ir" by itself.
    """

    def __init__(self, config: str, weights: str | None, sequence: FrameSequence, starts: list[int]) -> None:
        assert sequence.groundtruth is not None
        self.sequence, self.truth = sequence, sequence.groundtruth
        trackers = {name: build_tracker(config, weights, "cpu", name) for name in MODALITIES}
        self._tracker = trackers.pop("rgbt")
        self._states: dict[int, State] = {}
        self.both = self._pass(self._tracker, starts)
        self.alone = {name: self._pass(tracker, []) for name, tracker in trackers.items()}
        self._known: dict[tuple[Any, ...], dict[int, tuple[Judged, Judged]]] = {}

    def _pass(self, tracker: Tracker, starts: list[int]) -> Judged:
        found = [(1.0, 1.0)]
        for frame in self.sequence:
            if frame.index == 0:
                tracker.initialize(frame.rgb, frame.ir, self.truth[0])
            else:
                found.append(self._judged(tracker, frame, frame.index))
            if frame.index in starts:
                self._states[frame.index] = tracker.state()
        return np.array(found)

    def _judged(self, tracker: Tracker, frame: Frame, index: int) -> tuple[float, float]:
        result = tracker.update(frame.rgb, frame.ir)
        return float(overlap(np.asarray(result.box), self.truth[index])), result.score

    def disturbed(
        self, start: int, camera: str, kind: str, lengths: list[int], after: int
    ) -> dict[int, tuple[Judged, Judged]]:
        """Length -> the track while ``camera`` is disturbed, from frame ``start`` + 1 on, and after its return."""
        longest = self._watched(start, camera, kind, max(lengths), 0)
        # Whatever is found out in the first frame is the same as a missing camera.
        lying = any(frame.picture(camera) is not None for frame in longest)
        key = start, camera, kind if lying else "missing"
        if key not in self._known:
            states, found = {}, []
            self._tracker.restore(self._states[start])
            for number, frame in enumerate(longest, 1):
                found.append(self._judged(self._tracker, frame, start + number))
                if number in lengths:
                    states[number] = self._tracker.state()
            during = np.array(found)
            self._known[key] = {
                length: (during[:length], self._after(states[length], start, camera, kind, length, after))
                for length in lengths
            }
        return self._known[key]

    def _after(self, state: State, start: int, camera: str, kind: str, length: int, after: int) -> Judged:
        self._tracker.restore(state)
        frames = self._watched(start, camera, kind, length, after)[length:]
        first = start + 1 + length
        return np.array([self._judged(self._tracker, frame, first + n) for n, frame in enumerate(frames)])

    def _watched(self, start: int, camera: str, kind: str, length: int, after: int) -> list[Frame]:
        """Frames ``start`` + 1 to ``start`` + ``length`` + ``after``, disturbed in the first ``length``, as watched."""
        corruption = KINDS[kind](np.random.default_rng(start))
        corrupted = CorruptedSequence(self.sequence, camera, corruption, range(start + 1, start + 1 + length))
        first = max(0, start + 1 - LEAD)
        frames = watch(corrupted.clip(first, start + 1 + length + after - first))
        return list(frames)[start + 1 - first :]


def measure(case: Case, names: Row, start: int, lengths: list[int], after: int) -> Iterator[Row]:
    """A row a camera, kind and length: means of the overlaps, and sums over the scores of lost and kept targets."""
    for camera, kind in product(("rgb", "ir"), KINDS):
        for length, (during, later) in case.disturbed(start, camera, kind, lengths, after).items():
            span = slice(start + 1, start + 1 + length)
            rest = slice(span.stop, span.stop + after)
            other = case.alone["ir" if camera == "rgb" else "rgb"]
            means = {
                "during": during,
                "alone": other[span],
                "both": case.both[span],
                "after": later,
                "after_both": case.both[rest],
            }
            row = {name: float(np.nanmean(judged[:, 0])) for name, judged in means.items()}
            groups = {"lost": during[:, 0] < LOST, "kept": during[:, 0] > KEPT}
            sums = {name: [int(chosen.sum()), float(during[chosen, 1].sum())] for name, chosen in groups.items()}
            yield {**names, "start": start, "camera": camera, "kind": kind, "length": length, **row, **sums}


def sequences(arguments: argparse.Namespace) -> Iterator[FrameSequence]:
    """What was asked for, as far as it is needed, each frame read once."""
    needed = max(arguments.start) + 1 + max(arguments.length) + arguments.after
    for name in arguments.sequence:
        sequence = open_sequence(name)
        yield sequence.clip(0, min(needed, len(sequence))).cached()
    for scene, seed in split(arguments.part, arguments.drawn):
        yield draw_sequence(scene, length=needed, seed=seed).cached()


def print_tables(rows: list[Row]) -> None:
    """For every configuration, recorded and drawn sequences apart, a table with a row a kind and length."""
    for config, drawn in product(dict.fromkeys(row["config"] for row in rows), (False, True)):
        chosen = [row for row in rows if row["config"] == config and row["drawn"] == drawn]
        if not chosen:
            continue
        count = len({(row["sequence"], row["start"]) for row in chosen})
        print(f"\n{config}, {count} starts in {'drawn' if drawn else 'recorded'} sequences\n")
        print("| | frames | during | other alone | both | after | both | score lost | score kept |")
        print("|---|---|---|---|---|---|---|---|---|")
        for kind, length in product(KINDS, sorted({row["length"] for row in chosen})):
            _print_row((kind, length), [row for row in chosen if (row["kind"], row["length"]) == (kind, length)])
        _print_row(("all", ""), chosen)


def _print_row(case: tuple[Any, ...], rows: list[Row]) -> None:
    figures = [f"{np.nanmean([row[name] for row in rows]):.3f}" for name in MEANS]
    sums = {name: np.sum([row[name] for row in rows], 0) for name in ("lost", "kept")}
    scores = [f"{total / count:.2f}" if count else "" for count, total in sums.values()]
    print(f"| {' | '.join([*map(str, case), *figures, *scores])} |")


def main(args: list[str] | None = None) -> None:
    """Measure what FILE does not hold yet, and print the tables.

    Raises:
        UserError: bad input, or sequences too short for a start.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, metavar="FILE", required=True, help="JSON, made or added to")
    parser.add_argument("--sequence", action="append", default=[], help="folder or name; may be repeated")
    parser.add_argument("--drawn", type=int, default=0, help="how many drawn sequences")
    parser.add_argument("--part", default="validation", choices=["train", "validation", "test"])
    parser.add_argument("--config", action="append", help="[default: " + ", ".join(CONFIGS) + "]")
    parser.add_argument("--weights")
    parser.add_argument("--start", type=int, action="append", help="may be repeated [default: 30]")
    parser.add_argument("--length", type=int, action="append", help="may be repeated [default: 1, 10, 30, 100]")
    parser.add_argument("--after", type=int, default=30)
    arguments = parser.parse_args(args)
    arguments.start, arguments.length = arguments.start or [30], arguments.length or list(LENGTHS)
    rows: list[Row] = json.loads(arguments.results.read_text()) if arguments.results.exists() else []
    for sequence, config in product(sequences(arguments), arguments.config or CONFIGS):
        names = {"config": config, "sequence": sequence.name, "drawn": sequence.info.source.startswith("drawn")}
        done = {row["start"] for row in rows if names.items() <= row.items()}
        starts = [start for start in arguments.start if start not in done]
        fitting = {start: _fitting(sequence, start, arguments) for start in starts}
        starts = [start for start in starts if fitting[start]]
        case = Case(config, arguments.weights, sequence, starts) if starts else None
        for start in starts:
            assert case is not None
            rows += measure(case, names, start, fitting[start], arguments.after)
            write_text(arguments.results, json.dumps(rows))
            print(f"{config}, {sequence.name}, start {start}", flush=True)
    if not rows:
        raise UserError("Expected sequences with frames enough after a start, found none; give --start or --length.")
    print_tables(rows)


def _fitting(sequence: FrameSequence, start: int, arguments: argparse.Namespace) -> list[int]:
    """The lengths after which enough frames with a target are left."""
    truth = sequence.groundtruth
    if truth is None:
        raise UserError(f"'{sequence.name}' has no ground truth to compare with.")
    present = ~np.isnan(truth).any(1)

    def fits(length: int) -> bool:
        middle, last = start + 1 + length, start + 1 + length + arguments.after
        return last <= len(sequence) and present[start + 1 : middle].any() and present[middle:last].any()

    return [length for length in arguments.length if fits(length)]


if __name__ == "__main__":
    run(main)
