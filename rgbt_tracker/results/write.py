"""Writing results: the files of one track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nestfuse_core.common.files import write_text
from rgbt_tracker.results.trajectory import Trajectory

COMPANIONS = {
    "scores": "_scores.txt",
    "times": "_time.txt",
    "maps": "_maps.npz",
    "frames": "_frames.csv",
    "state": "_state.npz",
    "targets": "_mot.txt",
}
"""What may lie beside ``NAME.txt``: the ends of the files' names."""
FRAMES_HEADER = "frame,time,rgb,ir,cameras"


@dataclass(frozen=True)
class FrameRow:
    """Where one frame of a track comes from, a line of ``NAME_frames.csv``.

    Attributes:
        frame: 0-based position in the sequence.
        time: seconds since the sequence's first frame, or None where its sources have no times.
        rgb, ir: 0-based position of the picture among its camera's; None where there is none.
        cameras: whose pictures the tracker used, of "rgb" and "ir"; empty where it does not tell.
    """

    frame: int
    time: float | None
    rgb: int | None
    ir: int | None
    cameras: tuple[str, ...]


def write_results(folder: Path, name: str, track: Trajectory, frames: Sequence[FrameRow] | None = None) -> list[Path]:
    """Write ``NAME.txt`` (x,y,w,h a frame, 4 decimals), ``NAME_scores.txt`` and ``NAME_time.txt`` (seconds a frame).

    With ``frames`` also ``NAME_frames.csv``. Each file appears whole, and ``NAME.txt`` last: where it is, the others
    are of the same run.

    Returns:
        The files, ``NAME.txt`` first.
    """
    boxes, times, scores, cameras = (
        folder / f"{name}{end}" for end in (".txt", *(COMPANIONS[kind] for kind in ("times", "scores", "frames")))
    )
    if frames is not None:
        write_frames(cameras, frames)
    write_rows(scores, track.scores[:, None])
    write_rows(times, track.seconds[:, None], decimals=6)
    write_rows(boxes, track.boxes)
    return [boxes, times, scores] + ([] if frames is None else [cameras])


def target_name(name: str, number: int) -> str:
    """``NAME_1``: what the files of one of several targets are called."""
    return f"{name}_{number}"


def targets_file(folder: Path, name: str) -> Path:
    """``NAME_mot.txt``: all targets in one file."""
    return folder / f"{name}{COMPANIONS['targets']}"


def write_frames(path: Path, frames: Sequence[FrameRow]) -> None:
    """Write ``frame,time,rgb,ir,cameras``, a row a frame: seconds with 6 decimals, cameras ``rgb+ir``, ``rgb``, ``ir``.

    What is not there stays empty.
    """
    lines = [FRAMES_HEADER]
    for row in frames:
        time = "" if row.time is None else f"{row.time:.6f}"
        pictures = ["" if index is None else str(index) for index in (row.rgb, row.ir)]
        lines.append(",".join([str(row.frame), time, *pictures, "+".join(row.cameras)]))
    write_text(path, "\n".join(lines) + "\n")


def write_rows(path: Path, rows: ArrayLike, separator: str = ",", decimals: int = 4) -> None:
    """Write (N, K) numbers, one row a line, whole or not at all."""
    values = np.asarray(rows, dtype=np.float64)
    write_text(path, "".join(separator.join(f"{value:.{decimals}f}" for value in row) + "\n" for row in values))
