"""Whether tracking with an estimated rig file is as good as on pictures that lie on each other.

    python benchmarks/accuracy/rig_track.py --shared ../shared [--sequence m3svd-pier-red] [--frames 120]

The thermal pictures of an annotated M3SVD clip are moved, scaled and turned; the rig is estimated from four moments of
them; the target is followed on the recorded pictures and on the moved ones laid by the estimate. Printed: mean overlaps
with the annotation, and without any rig (the moved pictures as they are).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from nestfuse_core.common.guard import run
from nestfuse_core.common.video import VideoReader
from nestfuse_core.rig.align import align
from nestfuse_core.rig.features import thermal_view, visible_view
from nestfuse_core.rig.file import Rig, rows
from rgbt_tracker import build_tracker, track_sequence
from rgbt_tracker.evaluation.one_pass import one_pass_scores
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.sequences.moments import picked
from rgbt_tracker.sequences.rigged import lay

TRUTH = np.array([[1.06, 0.03, -34.0], [-0.03, 1.06, 5.0], [0, 0, 1]])
"""Thermal pixels -> visible ones, for 640x480."""


class Pictures(FrameSequence):
    """Frames in memory."""

    def __init__(self, name: str, pairs: list, groundtruth: np.ndarray) -> None:
        super().__init__(SequenceInfo(name, len(pairs), groundtruth=groundtruth))
        self._pairs = pairs

    def frame(self, index: int) -> Frame:
        return Frame(index, *self._pairs[index])


def load(shared: Path, name: str, count: int) -> tuple[list, np.ndarray]:
    """Pictures of both cameras and the boxes of an annotated clip."""
    folder = shared / "data/m3svd"
    clip = json.loads((folder / "boxes" / name / "clip.json").read_text())
    boxes = np.genfromtxt(folder / "boxes" / name / "groundtruth.txt", delimiter=",")
    readers = [VideoReader(folder / camera / f"{clip['clip']}.mp4") for camera in ("visible", "infrared")]
    count = min(count, clip["frames"])
    first = clip["first_frame"]
    return [tuple(reader.read(index) for reader in readers) for index in range(first, first + count)], boxes[:count]


def main(args: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--sequence", default="m3svd-pier-red")
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--config", default="nestfuse_nanotrack")
    given = parser.parse_args(args)
    pairs, boxes = load(given.shared, given.sequence, given.frames)
    moved = [(rgb, cv2.warpPerspective(ir, np.linalg.inv(TRUTH), ir.shape[1::-1])) for rgb, ir in pairs]
    recorded, warped = (Pictures(given.sequence, some, boxes) for some in (pairs, moved))
    moments = picked(warped, 4)
    found = align([visible_view(m.rgb) for m in moments], [thermal_view(m.ir) for m in moments])  # type: ignore[arg-type]
    doubts = "; ".join(found.evidence.doubts()) or "none"
    print(f"Estimated from {len(moments)} moments: {found.kind}, doubts: {doubts}.")
    rig = Rig(visible=(640, 480), thermal=(640, 480), homography=rows(found.matrix))
    for what, sequence in (("recorded", recorded), ("moved, with the rig", lay(warped, rig)), ("moved", warped)):
        track = track_sequence(build_tracker(given.config, device="cpu"), sequence)
        print(f"{what}: mean overlap {one_pass_scores(track.boxes, boxes)['mean_iou']:.3f}", flush=True)


if __name__ == "__main__":
    run(main)
