"""Frames per second of drawn sequences on one core, against reading JPEG pairs of the same size.

python benchmarks/synthetic.py [--size 640x480] [--frames 120] [scene ...]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable

import cv2

from rgbt_tracker.locate import open_sequence
from rgbt_tracker.sequences.vot_folder import write_vot
from rgbt_tracker.synthetic import SCENES, DrawnSequence, draw_sequence


def seconds(read: Callable[[int], object], frames: int) -> tuple[float, float]:
    """Wall and processor seconds a frame; the first frame, which fills caches, is read before."""
    read(0)
    wall, busy = time.perf_counter(), time.process_time()
    for index in range(frames):
        read(index)
    return (time.perf_counter() - wall) / frames, (time.process_time() - busy) / frames


def measure(name: str, frames: int, size: tuple[int, int]) -> None:
    """Print one scene's row."""
    start = time.process_time()
    drawn: DrawnSequence = draw_sequence(name, frames, size)
    setup = time.process_time() - start
    with tempfile.TemporaryDirectory() as folder:
        files = open_sequence(write_vot(drawn, folder))
        _, file_busy = seconds(files.frame, frames)
    wall, busy = seconds(drawn.frame, frames)
    print(f"{name:12} {1 / wall:10.1f} {1 / busy:14.1f} {1 / file_busy:18.1f} {file_busy / busy:8.2f} {setup:10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="*", default=list(SCENES))
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--frames", type=int, default=120)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    width, height = (int(value) for value in options.size.split("x"))
    print(
        "'/core-s': frames for one second of processor time; ratio: drawing to reading the same frames as JPEG pairs."
    )
    print(f"{'scene':12} {'drawn/s':>10} {'drawn/core-s':>14} {'JPEG pair/core-s':>18} {'ratio':>8} {'setup s':>10}")
    for name in options.scenes:
        measure(name, options.frames, (width, height))


if __name__ == "__main__":
    main()
