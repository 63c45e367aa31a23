"""How well ``rgbt rig sync`` finds the time between two cameras, where that is known.

    python benchmarks/accuracy/rig_sync.py --shared ../shared [--frames 150] [--whole]

Of the five recordings of M3SVD and of drawn scenes (test seeds), the thermal camera's part begins -30 to 30 frames
later than the visible one's; the offset is the time of so many frames. Printed: how many are answered, and their
errors. ``--whole`` compares whole pictures, as where nobody knows how thermal lies on visible.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from nestfuse_core.common.guard import run
from nestfuse_core.common.pictures import Image
from nestfuse_core.common.video import VideoReader
from nestfuse_core.rig.sync import Motion, find_offset, motion_of
from rgbt_tracker.synthetic.drawn import draw_sequence
from rgbt_tracker.synthetic.scenes import split

MOST = 30
LAGS = (-30, -17, -5, 0, 3, 11, 24, 30)
SCENES = ("street", "clutter", "occlusion", "crossover")


def recordings(shared: Path, count: int) -> Iterator[tuple[str, float, list[tuple[Image, Image]]]]:
    """Name, frames a second, and pictures of both cameras."""
    for file in sorted((shared / "data/m3svd/visible").glob("*.mp4")):
        readers = VideoReader(file), VideoReader(file.parents[1] / "infrared" / file.name)
        length = min(reader.length for reader in readers)
        start = max(0, (length - count) // 2)
        frames = [tuple(reader.read(i) for reader in readers) for i in range(start, min(start + count, length))]
        yield file.stem, readers[0].fps or 30.0, frames  # type: ignore[misc]
        for reader in readers:
            reader.close()
    for scene, seed in split("test", len(SCENES), SCENES):
        sequence = draw_sequence(scene, seed=seed)
        frames = [sequence.frame(index) for index in range(min(count, len(sequence)))]
        yield sequence.name, sequence.fps, [(frame.rgb, frame.ir) for frame in frames]  # type: ignore[misc]


def part(motion: Motion, start: int, count: int) -> Motion:
    """``count`` frames from ``start`` on, whose clock begins at 0."""
    rows = slice(start, start + count)
    return Motion(motion.times[rows] - motion.times[start], motion.energy[rows])


def main(args: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--whole", action="store_true")
    given = parser.parse_args(args)
    cv2.setNumThreads(1)
    errors: list[float] = []
    asked = 0
    print("| recording | frames | answered | worst error, ms | worst, frames |\n|---|---|---|---|---|")
    for name, fps, frames in recordings(given.shared, given.frames):
        size, times = frames[0][0].shape[1::-1], np.arange(len(frames)) / fps
        own, other = (
            motion_of((pair[camera] for pair in frames), times, word, None, size)
            for camera, word in enumerate(("rgb", "ir"))
        )
        count, found = len(frames) - MOST, []
        for lag in LAGS:
            starts = max(0, -lag), max(0, lag)
            answer = find_offset(part(own, starts[0], count), part(other, starts[1], count), placed=not given.whole)
            if not answer.why_not:
                # The thermal part begins ``lag`` frames later: its clock shows so much less at the same instant.
                found.append(answer.seconds + lag / fps)
        worst = max(map(abs, found), default=float("nan"))
        print(
            f"| {name} | {count} | {len(found)} of {len(LAGS)} | {1000 * worst:.0f} | {worst * fps:.2f} |", flush=True
        )
        errors, asked = errors + found, asked + len(LAGS)
    near = sum(abs(error) <= 0.033 for error in errors)
    print(f"{len(errors)} of {asked} answered, {near} of them within 33 ms.")


if __name__ == "__main__":
    run(main)
