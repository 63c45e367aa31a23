"""OpenCV's trackers and any other by the name of its factory: what they see, answer and refuse."""

import sys

import cv2
import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.tracking import opencv
from rgbt_tracker.tracking.factory import Limited, from_factory


class Follower:
    """Stands in for one of OpenCV's: moves one pixel a frame, and loses the target after two."""

    def init(self, image, box):
        assert image.dtype == np.uint8 and image.ndim == 3
        assert all(isinstance(value, int) for value in box)
        self.box, self.frames = box, 0

    def update(self, image):
        self.frames += 1
        x, y, w, h = self.box
        return self.frames < 3, (x + self.frames, y, w, h)


def visible(step=0):
    image = np.full((120, 160, 3), 60, np.uint8)
    cv2.circle(image, (60 + step, 60), 15, (30, 60, 230), -1)
    return image


def test_it_follows_one_camera_and_keeps_the_box_where_it_loses_the_target():
    tracker = opencv.OpenCVTracker(Follower)
    tracker.initialize(visible(), None, (45.4, 45.6, 30, 30))
    results = [tracker.update(visible(), np.zeros((120, 160), np.uint16)) for _ in range(3)]
    assert [result.box for result in results] == [(46, 46, 30, 30), (47, 46, 30, 30), (47, 46, 30, 30)]
    assert [result.score for result in results] == [1, 1, 0] and results[2].lost
    assert results[0].cameras == ("rgb",)
    assert tracker.update(None, visible()).box == results[2].box  # no picture of the camera it follows


def test_it_follows_the_thermal_camera_of_16_bits_where_it_is_shown_no_other():
    tracker = Limited(opencv.OpenCVTracker(Follower), ("ir",))
    heat = (visible()[..., 2].astype(np.uint16) * 20) + 7000
    tracker.initialize(visible(), heat, (45, 45, 30, 30))
    result = tracker.update(visible(), heat)
    assert result.cameras == ("ir",) and result.box == (46, 45, 30, 30)


def follows(seed):
    """Whether OpenCV's MIL follows a patch that moves over a scene, both drawn by chance."""
    tracker = from_factory("rgbt_tracker.tracking.opencv:mil")
    rng = np.random.default_rng(seed)
    scene = cv2.resize(rng.integers(0, 120, (24, 32, 3), dtype=np.uint8), (320, 240))
    patch = cv2.resize(rng.integers(80, 256, (4, 4, 3), dtype=np.uint8), (40, 40))

    def frame(step):
        image = scene.copy()
        image[100:140, 100 + step : 140 + step] = patch
        return image

    tracker.initialize(frame(0), None, (100, 100, 40, 40))
    boxes = [tracker.update(frame(step), None).box for step in range(2, 12, 2)]
    steps = zip(range(2, 12, 2), boxes, strict=True)
    return all(abs(x - 100 - step) < 8 and abs(y - 100) < 8 and (w, h) == (40, 40) for step, (x, y, w, h) in steps)


def test_the_real_one_follows_a_patch():
    # It looks at places that it draws with the clock as the seed, and now and then at none of the right ones.
    assert any(follows(seed) for seed in range(1, 5))


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    monkeypatch.delattr(cv2, "TrackerCSRT", raising=False)
    monkeypatch.delattr(cv2, "legacy", raising=False)
    with pytest.raises(UserError, match=r"has no CSRT.*pip install 'opencv-contrib-python<5'"):
        opencv.csrt()
    monkeypatch.setattr(cv2, "TrackerCSRT", type("T", (), {"create": Follower}), raising=False)
    assert isinstance(opencv.csrt()._create(), Follower)
    with pytest.raises(UserError, match="--weights FOLDER"):
        opencv.nano()
    with pytest.raises(UserError, match="one ONNX file with 'backbone' in its name"):
        opencv.nano(str(tmp_path))
    with pytest.raises(UserError, match="a first frame"):
        opencv.OpenCVTracker(Follower).initialize(None, None, (1, 1, 9, 9))


def test_factories_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "own_trackers.py").write_text(
        "class Own:\n"
        "    def __init__(self, weights='none'):\n        self.weights = weights\n"
        "    def initialize(self, rgb, ir, box):\n        pass\n"
        "    def update(self, rgb, ir):\n        pass\n"
        "def needs(file):\n    return Own(file)\n"
        "def nothing():\n    return 3\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    assert from_factory("own_trackers:Own").weights == "none"
    assert from_factory("own_trackers:needs", "w.pt").weights == "w.pt"
    for name, problem in {
        "own_trackers:needs": "called without arguments; if it needs a file, give it as --weights",
        "own_trackers:nothing": "returned a int without 'initialize'",
        "own_trackers:other": "cannot load 'own_trackers:other'",
        "nowhere:x": "Expected a tracker factory as 'module:function'",
    }.items():
        with pytest.raises(UserError, match=problem):
            from_factory(name)
