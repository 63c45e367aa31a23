"""The demo's application with trackers whose answers are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from rgbt_tracker.tracking.interface import Result

fastapi = pytest.importorskip("fastapi", reason="needs the demo's extra: pip install -e '.[demo]'")


@dataclass
class Drifting:
    """A tracker that moves its boxes by a fixed step: 1 px to the right, 2 px for thermal alone."""

    modality: str
    boxes: dict[int, Any] = field(default_factory=dict)
    seen: list[tuple[bool, bool]] = field(default_factory=list)

    def add(self, rgb, ir, box, number) -> None:
        self.boxes[number] = tuple(box)

    def update(self, rgb, ir) -> dict[int, Result]:
        self.seen.append((rgb is not None, ir is not None))
        step = 2 if self.modality == "ir" else 1
        self.boxes = {number: (x + step, *rest) for number, (x, *rest) in self.boxes.items()}
        return {number: Result(box, 0.75) for number, box in self.boxes.items()}


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
