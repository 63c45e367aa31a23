"""A small world for results and reports: three short sequences in the VOT layout and several trackers' results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from rgbt_tracker.boxes import box_to_polygon
from rgbt_tracker.results.maps import write_maps

WIDTH, HEIGHT = 96, 72
LENGTHS = {"alpha": 30, "beta": 24, "gamma": 52}
SHIFTS = {"steady": 0.5, "shaky": 2.0, "drifting": 1.0}


@dataclass(frozen=True)
class World:
    """Folders of sequences, of one-pass results and of VOT results, and the ground truth by name."""

    sequences: Path
    one_pass: Path
    vot: Path
    truth: dict[str, np.ndarray]


def draw_truth(length: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = 20 + 30 * np.sin(np.arange(length) / 20 + seed) ** 2
    y = 20 + 12 * np.cos(np.arange(length) / 15)
    return np.stack([x, y, np.full(length, 16.0), np.full(length, 14.0)], axis=1) + rng.normal(0, 0.05, (length, 4))


def write_sequence(folder: Path, truth: np.ndarray) -> None:
    (folder / "color").mkdir(parents=True)
    (folder / "ir").mkdir()
    for index, (x, y, w, h) in enumerate(truth, 1):
        rgb = np.full((HEIGHT, WIDTH, 3), (90, 120, 60), np.uint8)
        ir = np.full((HEIGHT, WIDTH), 70, np.uint8)
        corner, opposite = (int(x), int(y)), (int(x + w), int(y + h))
        cv2.rectangle(rgb, corner, opposite, (40, 60, 210), -1)
        cv2.rectangle(ir, corner, opposite, 230, -1)
        cv2.imwrite(str(folder / "color" / f"{index:05d}v.jpg"), rgb)
        cv2.imwrite(str(folder / "ir" / f"{index:05d}i.jpg"), ir)
    np.savetxt(folder / "groundtruth.txt", box_to_polygon(truth), fmt="%.4f", delimiter=",")
    tag = np.zeros(len(truth), int)
    tag[8:14] = 1
    np.savetxt(folder / "occlusion.tag", tag, fmt="%d")
    (folder / "sequence").write_text(
        f"name={folder.name}\nfps=25\nformat=default\nwidth={WIDTH}\nheight={HEIGHT}\nlength={len(truth)}\n"
        "channel.default=color\nchannels.color=color/%05dv.jpg\nchannels.ir=ir/%05di.jpg\n"
    )


def predict(truth: np.ndarray, tracker: str, seed: int) -> np.ndarray:
    """Boxes of a made-up tracker; "drifting" is off the target in frames 10 to 15 and from frame 20 on."""
    boxes = truth + np.random.default_rng(seed).normal(0, SHIFTS[tracker], truth.shape) * [1, 1, 0.3, 0.3]
    if tracker == "drifting":
        boxes[10:16, 0] += 40
        boxes[20:, 0] += 40
    return boxes


def vot_lines(truth: np.ndarray, failures: list[int]) -> list[str]:
    lines = [",".join(f"{value:.4f}" for value in box_to_polygon(box)) for box in truth + 1.0]
    starts = [0, *(frame + 5 for frame in failures)]
    for frame in failures:
        lines[frame : frame + 5] = ["2", "0", "0", "0", "0"]
    for start in starts:
        if start < len(lines):
            lines[start] = "1"
    return lines[: len(truth)]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("world")
    truth = {name: draw_truth(length, seed) for seed, (name, length) in enumerate(LENGTHS.items())}
    for seed, (name, boxes) in enumerate(truth.items()):
        write_sequence(root / "sequences" / name, boxes)
        for tracker in SHIFTS:
            folder = root / "one-pass" / tracker
            folder.mkdir(parents=True, exist_ok=True)
            np.savetxt(folder / f"{name}.txt", predict(boxes, tracker, seed), fmt="%.4f", delimiter=",")
            np.savetxt(folder / f"{name}_time.txt", np.full(len(boxes), 0.02), fmt="%.4f")
            np.savetxt(folder / f"{name}_scores.txt", np.linspace(1, 0.5, len(boxes)), fmt="%.4f")
        for tracker, failures in {"first": [9], "second": [6, 15]}.items():
            folder = root / "workspace" / "results" / tracker / "baseline" / name
            folder.mkdir(parents=True)
            (folder / f"{name}_001.txt").write_text("\n".join(vot_lines(boxes, failures)) + "\n")
    weights = np.stack([np.full((4, 5), 1.0), np.full((4, 5), 3.0)])
    areas = [(x - 20, y - 20, 56.0, 54.0) for x, y, _, _ in truth["alpha"]]
    write_maps(root / "one-pass" / "steady" / "alpha_maps.npz", [{"level 2": weights}] * len(areas), areas)
    return World(root / "sequences", root / "one-pass", root / "workspace", truth)
