"""What a frame with several targets costs, as a multiple of one with one.

    OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE python benchmarks/speed/targets.py [--config NAME] [--targets 1 2 4 8]

Trackers of one, two, ... targets take turns frame by frame, so that all meet the same load; a turn is one update of
each. Ratios are of processor time, by turns: median and range, of the update alone and with reading the frame, which
is read once for all targets. The last line is as many trackers of one target as there are targets at most.
"""

from __future__ import annotations

import sys

import numpy as np
from timing import Seconds, command_line, median, ratios, timed

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run
from rgbt_tracker import MultiTracker, Tracker, build_tracker
from rgbt_tracker.locate import open_sequence
from rgbt_tracker.sequences import Frame, FrameSequence

READING = "reading"
WARM_UP = 2
"""Frames that are not counted."""


def spread_boxes(box: tuple[float, float, float, float], count: int, width: int, height: int) -> list[np.ndarray]:
    """The target's own box, and others of its size over the picture."""
    rng = np.random.default_rng(0)
    x, y, w, h = box
    places = rng.uniform((0, 0), (width - w, height - h), (count - 1, 2))
    return [np.array([x, y, w, h]), *(np.array([*place, w, h]) for place in places)]


def measure(built: Tracker, sequence: FrameSequence, counts: list[int], frames: int) -> dict[str, list[Seconds]]:
    """What the updates of each turn took, by the words for it, and "reading" the frame."""
    first, box = sequence.frame(0), sequence.info.start_box
    assert box is not None and first.rgb is not None
    boxes = spread_boxes(box, max(counts), first.rgb.shape[1], first.rgb.shape[0])
    trackers = {}
    for count in counts:
        trackers[f"{count} in one pass"] = tracker = MultiTracker(built.config, built.runtime)
        for own in boxes[:count]:
            tracker.add(first.rgb, first.ir, own)
    singles = [Tracker(built.config, built.runtime) for _ in boxes]
    for single, own in zip(singles, boxes, strict=True):
        single.initialize(first.rgb, first.ir, own)

    def all_of_them(frame: Frame) -> None:
        for single in singles:
            single.update(frame.rgb, frame.ir)

    works = {name: lambda frame, one=one: one.update(frame.rgb, frame.ir) for name, one in trackers.items()}
    works[f"{max(counts)} one by one"] = all_of_them
    times: dict[str, list[Seconds]] = {name: [] for name in (*works, READING)}
    for step in range(frames + WARM_UP):
        reading, frame = timed(lambda step=step: sequence.frame(1 + step % (len(sequence) - 1)))
        spent = {name: timed(lambda work=work, frame=frame: work(frame))[0] for name, work in works.items()}
        if step >= WARM_UP:
            for name, seconds in (spent | {READING: reading}).items():
                times[name].append(seconds)
    return times


def main(args: list[str] | None = None) -> None:
    """Print a line for each number of targets."""
    parser = command_line(__doc__)
    parser.add_argument("--config", default="nestfuse_nanotrack")
    parser.add_argument("--weights", help="the configuration's by default")
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--sequence", default="drawn:street")
    parser.add_argument("--modality", default="rgbt")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--targets", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(args)
    built = build_tracker(
        options.config, options.weights, options.device, options.modality, options.runtime, options.threads
    )
    sequence = open_sequence(options.sequence)
    if sequence.info.start_box is None or len(sequence) < 2:
        raise UserError(f"Expected two frames and a box in the first of them, '{sequence.name}' lacks that.")
    counts = sorted({1, *options.targets})
    times = measure(built, sequence, counts, options.frames)
    names = f"{built.config.name}, {built.runtime.name} on {built.runtime.device}, {options.threads} threads"
    print(f"{names}, {options.frames} frames of {sequence.name}")
    used = {name: np.array([seconds.processor for seconds in spent]) for name, spent in times.items()}
    reading, alone = used.pop(READING), used["1 in one pass"]
    print(f"{READING:<16}{1000 * median(times[READING]).processor:>8.1f} ms")
    for name, spent in used.items():
        update, both = ratios(list(spent), list(alone)), ratios(list(spent + reading), list(alone + reading))
        milliseconds = 1000 * median(times[name]).processor
        print(f"{name:<16}{milliseconds:>8.1f} ms, ratio {update}, with reading {both}")


if __name__ == "__main__":
    run(main, keep_memory="--default-memory" not in sys.argv)
