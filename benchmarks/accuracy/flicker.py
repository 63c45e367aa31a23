"""How much fused videos flicker: frame-to-frame change of mean level and contrast where nothing moves.

    python benchmarks/accuracy/flicker.py M3SVD [--frames 100] [--look natural]

M3SVD is a folder with videos of one name in visible/ and infrared/. A pixel is static from one frame to the next if
both cameras' blurred pictures change there by less than 6 grey levels more or less than their median change. Over
these pixels, the absolute change of the mean and of the standard deviation from frame to frame, averaged over the
frames, in grey levels: of the visible and the thermal video, of the fused one with the levels of frames in their order
(`Fuser.video`), and of the same frames fused each by itself. The ratios are to the visible video's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.console import print_table
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run
from nestfuse_core.common.pictures import Image
from nestfuse_core.common.tables import table_of
from nestfuse_core.common.video import VideoReader
from nestfuse_core.fusion.fuser import Fuser

STILL, BLUR = 6.0, 2.0
COLUMNS = ("visible", "thermal", "fused in order", "each by itself")

Grey = NDArray[np.float32]


class Flicker:
    """Gathers the frame-to-frame changes of several versions of one video."""

    def __init__(self) -> None:
        self._last: dict[str, Grey] = {}
        self._changes: list[NDArray[np.float64]] = []

    def add(self, frames: dict[str, Grey]) -> None:
        """Take the next frame of every version, HxW; "visible" and "thermal" tell where nothing moves."""
        if self._last:
            static = np.logical_and.reduce([self._static(frames, name) for name in ("visible", "thermal")])
            if static.any():
                pairs = [(frame[static], self._last[name][static]) for name, frame in frames.items()]
                self._changes.append(
                    np.array([[abs(now.mean() - then.mean()), abs(now.std() - then.std())] for now, then in pairs])
                )
        self._last = frames

    def _static(self, frames: dict[str, Grey], name: str) -> NDArray[np.bool_]:
        change = cv2.GaussianBlur(frames[name] - self._last[name], (0, 0), BLUR)
        return np.abs(change - np.median(change)) < STILL

    def means(self) -> NDArray[np.float64]:
        """Mean change of the mean level and of the contrast, (versions, 2)."""
        return np.mean(self._changes, axis=0)


def measure(visible: Path, thermal: Path, frames: int, look: str) -> NDArray[np.float64]:
    """Changes of one video, (versions, 2), versions as in `COLUMNS`."""
    fuser, found = Fuser(look=look), Flicker()
    video, outputs = fuser.video(), dict[str, Grey]()

    def by_itself(output: Grey) -> Grey:
        outputs["raw"] = output
        return fuser.picture_levels(output)

    vis, ir = VideoReader(visible), VideoReader(thermal)
    for index in range(min(frames, vis.length, ir.length)):
        pair: tuple[Image, Image] = ir.read(index), vis.read(index)
        alone = fuser.fuse(*pair, by_itself)
        steady = video.to_levels(outputs["raw"])
        versions = (alone.vis, alone.ir, np.rint(steady), alone.luminance)
        found.add({name: version.astype(np.float32) for name, version in zip(COLUMNS, versions, strict=True)})
    return found.means()


def main(args: list[str] | None = None) -> None:
    """Print a row a video and the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="M3SVD")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--look", default="natural")
    options = parser.parse_args(args)
    videos = sorted((options.folder / "visible").glob("*.mp4"))
    if not videos:
        raise UserError(f"Expected videos in '{options.folder / 'visible'}', found none.")
    head = [f"{name}, {what}" for what in ("mean", "contrast") for name in COLUMNS]
    rows, every = [], []
    for path in videos:
        every.append(measure(path, options.folder / "infrared" / path.name, options.frames, options.look))
        rows.append([path.stem, *(f"{value:.3f}" for value in every[-1].T.ravel())])
    mean = np.mean(every, axis=0)
    rows.append(["mean", *(f"{value:.3f}" for value in mean.T.ravel())])
    rows.append(["to the visible", *(f"{value:.2f}" for value in (mean / mean[0]).T.ravel())])
    print_table(table_of(["", *head], rows, f"Changes in grey levels, look {options.look}"))


if __name__ == "__main__":
    run(main)
