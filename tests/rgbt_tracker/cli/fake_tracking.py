"""A tracker that needs no network, a short sequence for it, and ``rgbt track`` as a shell would run it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import pytest

from nestfuse_core.common.commands import single
from nestfuse_core.common.guard import run
from rgbt_tracker.cli.track import track
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.tracking.interface import Result

COUNT = 6
BOXES = np.array([[10.0 + 2 * index, 12, 16, 12] for index in range(COUNT)])


class FakeTracker:
    """Moves its box 2 px to the right a frame, as the target of `folder` does."""

    def __init__(self, config: TrackerConfig) -> None:
        self.config, self.record_maps, self.updates = config, False, 0
        self.runtime = SimpleNamespace(name="torch", digest=lambda: "weights 0.0")
        self.box: Any = None
        self.before_update: Any = lambda number: None

    def initialize(self, rgb: Any, ir: Any, box: Any) -> None:
        self.box = tuple(float(value) for value in box)

    def update(self, rgb: Any, ir: Any) -> Any:
        self.updates += 1
        self.before_update(self.updates)
        assert (rgb is not None) == ("rgb" in self.config.modalities) or rgb is not None
        self.box = (self.box[0] + 2, *self.box[1:])
        maps = {"level0": np.full((2, 4, 4), 0.5, np.float32)} if self.record_maps else None
        used = tuple(camera for camera in self.config.modalities if {"rgb": rgb, "ir": ir}[camera] is not None)
        return Result(self.box, 0.8, maps=maps, search_box=(0, 0, 40, 40), cameras=used)

    def relocate(self, box: Any) -> None:
        self.box = tuple(box)

    def state(self) -> dict[str, np.ndarray]:
        return {"box": np.array(self.box)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        self.box = tuple(state["box"].tolist())


@dataclass
class Fake:
    """What the command asked for: the tracker's settings, weights and device."""

    tracker: Any = None
    weights: Any = None
    device: str = ""
    before_update: Any = None
    bias: float = 0.0


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    seen = Fake()

    def build(settings: TrackerConfig, weights: Any, device: str, runtime: str) -> FakeTracker:
        seen.tracker, seen.weights, seen.device = FakeTracker(settings), weights, device
        seen.tracker.runtime.digest = lambda: f"weights {seen.bias}"
        if seen.before_update:
            seen.tracker.before_update = seen.before_update
        return seen.tracker

    monkeypatch.setattr("rgbt_tracker.api.build_tracker", build)
    return seen


def blobs(level: int) -> np.ndarray:
    """A picture, 48x64x3, from ``level`` on: one of a single grey level counts as none."""
    shapes = np.random.default_rng(0).integers(0, 150, (6, 8), np.uint8)
    return np.repeat(cv2.resize(shapes, (64, 48))[..., None], 3, axis=2) + np.uint8(level)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sequence of six frames with ground truth, and an empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RGBT_DATA", raising=False)
    place = tmp_path / "data" / "street"
    for camera, level in (("visible", 60), ("infrared", 30)):
        (place / camera).mkdir(parents=True)
        for index in range(COUNT):
            cv2.imwrite(str(place / camera / f"{index:04d}.png"), blobs(level + index))
    np.savetxt(place / "init.txt", BOXES, delimiter=",")
    return place


@dataclass
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def rgbt(capsys: pytest.CaptureFixture[str]):
    """Run ``track`` with arguments as a shell would, exit code included."""

    def shell(*arguments: Any) -> Outcome:
        app = single(track)
        with pytest.raises(SystemExit) as ended:
            run(app, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), captured.out, " ".join(captured.err.split()))

    return shell


def nano(*more: Any) -> tuple[Any, ...]:
    return ("--config", "nestfuse_nanotrack", "--output", "out", *more)


STOPPED = ("_frames.csv", "_scores.txt", "_state.npz", "_time.txt")
"""What lies beside the boxes of a run that stopped early."""


def count_frames(video: str) -> int:
    with av.open(video) as container:
        return len(list(container.decode(video=0)))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def refused(done: Outcome, *words: str) -> None:
    assert done.code == 2
    for word in words:
        assert word in done.err
    assert "Traceback" not in done.err
    assert files(Path("out")) == []


def ctrl_c(at: int) -> Any:
    """Press Ctrl-C in the update of that number, counted from 1."""
    return lambda number: signal.raise_signal(signal.SIGINT) if number == at else None


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """A screen that shows nothing and a user who draws 20,10,8,6 on the thermal picture, and then nothing more."""
    shown: list[np.ndarray] = []
    drawn = iter([(20, 10, 8, 6)])
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("rgbt_tracker.output.window.PROBE", "")
    monkeypatch.setattr(cv2, "namedWindow", lambda *a: None)
    monkeypatch.setattr(cv2, "resizeWindow", lambda *a: None)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    monkeypatch.setattr(cv2, "imshow", lambda title, image: shown.append(image))
    monkeypatch.setattr(cv2, "waitKey", lambda delay: ord(" ") if len(shown) == 1 else -1)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *a: 1.0)

    def select(title: str, image: np.ndarray, showCrosshair: bool) -> tuple[int, int, int, int]:
        x, y, w, h = next(drawn, (0, 0, 0, 0))
        return (x + image.shape[1] // 2 if w else 0, y, w, h)

    monkeypatch.setattr(cv2, "selectROI", select)
    return shown
