"""The demo's application with trackers whose answers are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

fastapi = pytest.importorskip("fastapi", reason="needs the demo's extra: pip install -e '.[demo]'")


@dataclass
class Answer:
    box: tuple[float, float, float, float]
    score: float = 0.75
    lost: bool = False


@dataclass
class Drifting:
    """A tracker that moves its box by a fixed step: 1 px to the right, 2 px for thermal alone."""

    modality: str
    box: tuple[float, float, float, float] = (0, 0, 1, 1)
    seen: list[tuple[bool, bool]] = field(default_factory=list)

    def initialize(self, rgb, ir, box) -> None:
        self.box = tuple(box)

    def update(self, rgb, ir) -> Answer:
        self.seen.append((rgb is not None, ir is not None))
        x, y, w, h = self.box
        self.box = (x + (2 if self.modality == "ir" else 1), y, w, h)
        return Answer(self.box)


@pytest.fixture
def made() -> list[Drifting]:
    """Every tracker the application asked for."""
    return []


@pytest.fixture
def app(made):
    from rgbt_tracker.demo.app import Settings, create_app
    from rgbt_tracker.demo.uploads import Limits

    def make(modality: str) -> Drifting:
        made.append(Drifting(modality))
        return made[-1]

    def fuse(frame, strategy, running):
        return np.maximum(frame.rgb, frame.ir[..., None] if frame.ir.ndim == 2 else frame.ir)

    settings = Settings(Limits(megabytes=1, pixels=200 * 200), ("127.0.0.1", "localhost", "testserver"), (160, 120), 12)
    return create_app(make, fuse, settings)


@pytest.fixture
def client(app) -> Iterator:
    from fastapi.testclient import TestClient

    with TestClient(app) as connection:
        yield connection


@pytest.fixture
def video(tmp_path: Path) -> bytes:
    """Eight frames of 64 x 48, Motion JPEG."""
    path = tmp_path / "video.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for index in range(8):
        writer.write(np.full((48, 64, 3), 20 * index, np.uint8))
    writer.release()
    return path.read_bytes()
