"""Recalled answers are the network's own, and a tracker with a memory takes the same path."""

import numpy as np
import pytest
import torch

from rgbt_tracker import build_tracker
from rgbt_tracker.config import load_config
from rgbt_tracker.evaluation.job import Setup
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.tracking.run import track_sequence
from rgbt_tracker.tracking.tracker import Tracker
from rgbt_tracker.tuning.evaluator import Evaluator, Setting, configured
from rgbt_tracker.tuning.memory import Memory, RememberingRuntime, digest


class Noise(FrameSequence):
    """Random pictures that count how often they were read."""

    def __init__(self, length=4):
        self.read = 0
        super().__init__(SequenceInfo("noise", length, groundtruth=np.tile([40.0, 30, 30, 24], (length, 1))))

    def frame(self, index):
        self.read += 1
        random = np.random.default_rng(index)
        return Frame(index, *random.integers(0, 256, (2, 96, 128, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def config():
    return load_config("nestfuse_nanotrack")


def evaluator(config):
    return Evaluator(Setup(config, "untrained", "cpu"))


def test_same_track_with_and_without_memory(config):
    plain = build_tracker(config, "untrained", "cpu")
    expected = track_sequence(plain, Noise()).boxes
    memory = Memory()
    tracker = Tracker(config, RememberingRuntime(build_tracker(config, "untrained", "cpu").runtime, memory, ""))
    for _ in range(2):
        np.testing.assert_array_equal(track_sequence(tracker, Noise()).boxes, expected)
    assert memory.misses == {"template": 1, "search": 3}
    assert memory.hits == {"template": 1, "search": 3}
    assert memory.rate("search") == 0.5 and memory.saved() > 0


def test_the_gates_memory_is_part_of_the_question(config):
    config = config.replace(**{"model.fusion.strategy": "reliable"})
    expected = track_sequence(build_tracker(config, "untrained", "cpu"), Noise()).boxes
    memory = Memory()
    runtime = RememberingRuntime(build_tracker(config, "untrained", "cpu").runtime, memory, "", features=True)
    tracker = Tracker(config, runtime)
    for _ in range(2):
        np.testing.assert_array_equal(track_sequence(tracker, Noise()).boxes, expected)
    assert memory.misses == {"template": 1, "search": 3, "features": 4}
    assert memory.hits == {"template": 1, "search": 3}


def test_a_different_setting_still_gets_its_own_answer(config):
    changed = Setting(0.3, 0.1, 0.9)
    remembering = evaluator(config)
    first = remembering(configured(config), Noise())
    assert remembering(changed, Noise()) == evaluator(config)(changed, Noise())
    assert remembering(configured(config), Noise()) == first


def test_fusion_variants_share_backbone_features_and_not_answers(config):
    remembering = Evaluator(Setup(config, "untrained", "cpu"), variants=True)
    expected = evaluator(config)(configured(config, "mean"), Noise(2))
    remembering(configured(config, "attention"), Noise(2))
    assert remembering(configured(config, "mean"), Noise(2)) == expected
    assert remembering.memory.hits == {"features": 2}  # the template, and the first search, which starts alike
    assert remembering.memory.misses["search"] == 2


def test_memory_forgets_the_oldest():
    memory = Memory(limit=100)
    for name in ("a", "b", "a", "c"):  # 40 bytes each: c drives out b, which was used before a
        memory.recall("search", (name,), lambda: torch.zeros(10))
    assert memory.hits == {"search": 1}
    memory.recall("search", ("a",), lambda: pytest.fail("was forgotten"))
    memory.recall("search", ("b",), lambda: torch.zeros(10))
    assert memory.misses["search"] == 4


def test_digest_tells_pixels_and_shapes_apart():
    images = np.random.default_rng(0).integers(0, 256, (2, 1, 8, 8, 3), np.uint8)
    other = images.copy()
    other[1, 0, 7, 7, 2] += 1
    assert digest(images) == digest(images.copy())
    assert len({digest(images), digest(other), digest(images[:, 0])}) == 3
