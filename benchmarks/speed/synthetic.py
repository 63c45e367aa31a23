"""Frames per second of drawn sequences on one core, against reading JPEG pairs of the same size.

OMP_NUM_THREADS=1 python benchmarks/speed/synthetic.py [--size 640x480] [--frames 120] [scene ...]
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable

import cv2
from timing import Seconds, command_line, size, timed

from nestfuse_core.common.guard import run
from rgbt_tracker.locate import open_sequence
from rgbt_tracker.sequences.vot_folder import write_vot
from rgbt_tracker.synthetic import SCENES, draw_sequence


def a_frame(read: Callable[[int], object], frames: int) -> Seconds:
    """Seconds a frame; the first frame, which fills caches, is read before."""
    read(0)
    total, _ = timed(lambda: [read(index) for index in range(frames)])
    return Seconds(total.clock / frames, total.processor / frames)


def measure(name: str, frames: int, size: tuple[int, int]) -> None:
    """Print one scene's row."""
    setup, drawn = timed(lambda: draw_sequence(name, frames, size))
    with tempfile.TemporaryDirectory() as folder:
        files = open_sequence(write_vot(drawn, folder))
        file = a_frame(files.frame, frames).processor
    wall, busy = a_frame(drawn.frame, frames)
    print(f"{name:12} {1 / wall:10.1f} {1 / busy:14.1f} {1 / file:18.1f} {file / busy:8.2f} {setup.processor:10.2f}")


def main(args: list[str] | None = None) -> None:
    """Print a row a scene."""
    parser = command_line(__doc__)
    parser.add_argument("scenes", nargs="*", default=list(SCENES))
    parser.add_argument("--size", type=size, default=(640, 480), metavar="WxH")
    parser.add_argument("--frames", type=int, default=120)
    options = parser.parse_args(args)
    cv2.setNumThreads(1)
    print(
        "'/core-s': frames for one second of processor time; ratio: drawing to reading the same frames as JPEG pairs."
    )
    print(f"{'scene':12} {'drawn/s':>10} {'drawn/core-s':>14} {'JPEG pair/core-s':>18} {'ratio':>8} {'setup s':>10}")
    for name in options.scenes:
        measure(name, options.frames, options.size)


if __name__ == "__main__":
    run(main)
