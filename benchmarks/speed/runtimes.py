"""Milliseconds a frame through ONNX Runtime and torch beside OpenCV's NanoTrack, alone and on a busy machine.

    python benchmarks/speed/runtimes.py [--sequence DIR|clip:smoke] [--nano FOLDER] [--busy 0 1 2]

FOLDER holds NanoTrack v2's two ONNX files (github.com/HonglinChu/SiamTrackers, NanoTrack/models/nanotrackv2); without
it that row is left out and ratios are to ONNX Runtime on one camera. All trackers take turns frame by frame, so that
they meet the same load, beside as many busy processes as --busy says. Medians over frames: by the clock, and of
processor time, which other programs change less; "beside" is the time by the clock over that alone.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import torch
from timing import Seconds, command_line, from_next, median, timed

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run
from rgbt_tracker import build_tracker, open_sequence
from rgbt_tracker.tracking.opencv import nano

BUSY = "while True: pass"
MODALITIES = ("rgb", "rgbt")


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep ``count`` other processes computing."""
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def open_trackers(options: Any) -> dict[str, Any]:
    """Name -> a function that makes the tracker's row, the reference first."""
    made: dict[str, Any] = {}
    if options.nano and list(options.nano.glob("*backbone*.onnx")):
        made["OpenCV NanoTrack v2, rgb"] = nano(str(options.nano))
    for runtime in options.runtimes:
        for modality in MODALITIES:
            made[f"{runtime}, {modality}"] = build_tracker(
                options.config, options.weights, "cpu", modality, runtime, options.threads
            )
    return made


def measure(trackers: dict[str, Any], frames: list[Any], box: Any) -> dict[str, list[Seconds]]:
    """Seconds of every update of every tracker, in turns; the first two of each are not counted."""
    times: dict[str, list[Seconds]] = {name: [] for name in trackers}
    for tracker in trackers.values():
        tracker.initialize(frames[0].rgb, frames[0].ir, box)
    names = list(trackers)
    for number, frame in enumerate(frames[1:]):
        for name in from_next(names, number):
            spent, _ = timed(partial(trackers[name].update, frame.rgb, frame.ir))
            if number >= 2:
                times[name].append(spent)
    return times


def main(args: list[str] | None = None) -> None:
    """Print the table.

    Raises:
        UserError: bad input, or a sequence that is too short.
    """
    parser = command_line(__doc__)
    parser.add_argument("--config", default="nestfuse_nanotrack")
    parser.add_argument("--weights")
    parser.add_argument("--sequence", default="clip:smoke")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--threads", type=int, help="of either runtime [default: its own choice]")
    parser.add_argument("--nano", type=Path, metavar="FOLDER")
    parser.add_argument("--opencv-threads", type=int, help="that OpenCV shares its work with [default: its own choice]")
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--runtimes", nargs="+", choices=["onnx", "torch"], default=["onnx", "torch"])
    options = parser.parse_args(args)
    if options.opencv_threads:
        cv2.setNumThreads(options.opencv_threads)
    trackers = open_trackers(options)
    with open_sequence(options.sequence) as sequence:
        if sequence.info.start_box is None or len(sequence) < 4:
            raise UserError(f"Expected four frames and a box in the first, '{sequence.name}' lacks that.")
        frames = [sequence.frame(index) for index in range(min(len(sequence), options.frames + 3))]
    print(
        f"{options.config}, {len(frames) - 3} frames of {sequence.name}; threads: torch {torch.get_num_threads()}, "
        f"OpenCV {cv2.getNumThreads()}"
    )
    reference = next(iter(trackers))
    alone: dict[str, float] = {}
    for count in options.busy:
        with busy(count):
            times = measure(trackers, frames, sequence.info.start_box)
        print(f"{f'beside {count} busy':<26}{'ms':>8}{'cpu ms':>8}{'ratio':>7}{'cpu ratio':>10}{'beside':>8}")
        first = median(times[reference])
        for name, values in times.items():
            found = median(values)
            alone.setdefault(name, found.clock)
            ratios = f"{found.clock / first.clock:>7.2f}{found.processor / first.processor:>10.2f}"
            slower = f"{found.clock / alone[name]:>8.2f}"
            print(f"{name:<26}{1000 * found.clock:>8.1f}{1000 * found.processor:>8.1f}{ratios}{slower}")


if __name__ == "__main__":
    run(main)
