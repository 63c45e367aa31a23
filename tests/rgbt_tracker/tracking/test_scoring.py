"""The seam between the loop and the network: what a search is given of those before it, for one target and several."""

import numpy as np
import torch

from rgbt_tracker import build_tracker
from rgbt_tracker.config import load_config
from rgbt_tracker.models.network import SearchOutput, Template
from rgbt_tracker.runtime.interface import Answer, State
from rgbt_tracker.runtime.with_torch import TorchRuntime
from rgbt_tracker.synthetic import draw_sequence
from rgbt_tracker.tracking.cameras import CameraFrames
from rgbt_tracker.tracking.loop import TrackingLoop
from rgbt_tracker.tracking.scoring import Appearance, CandidateScorer

CONFIG = load_config("nestfuse_nanotrack").replace(**{"model.fusion.strategy": "reliable"})
BOTH = ("rgb", "ir")
SIDE = 8


def pictures(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*shape, SIDE, SIDE, 3), np.uint8)


class Recorded:
    """A runtime that notes what it is asked; a target's memory counts its searches."""

    def __init__(self) -> None:
        self.memories, self.states = [], []

    def template(self, images, cameras):
        return State((images,), cameras)

    def search(self, state, images, memory=None, maps=False):
        self.states.append(state)
        self.memories.append(None if memory is None else memory[0].tolist())
        known = np.nan_to_num(memory, nan=-1) + 1 if memory is not None else None
        return Answer(images, images, known, known, {})

    def stack(self, states):
        return State((np.concatenate([state.kernels[0] for state in states], 1),), states[0].cameras)


def learnt(score: CandidateScorer, *cameras: str) -> Appearance:
    seen = Appearance()
    score.learn(seen, dict(zip(cameras, pictures(len(cameras)), strict=True)))
    return seen


def test_the_memory_goes_from_search_to_search_and_each_target_has_its_own() -> None:
    runtime = Recorded()
    score = CandidateScorer(CONFIG, runtime)
    first, second = learnt(score, *BOTH), learnt(score, *BOTH)
    score([first], BOTH, pictures(2, 1))
    score([first, second], BOTH, pictures(2, 2))
    score([second, first], BOTH, pictures(2, 2))
    np.testing.assert_equal(runtime.memories, [[np.nan], [0, np.nan], [0, 1]])
    assert runtime.states[1].kernels[0].shape == (2, 2, SIDE, SIDE, 3)


def test_a_camera_alone_has_all_the_weight_and_leaves_the_memory() -> None:
    runtime = Recorded()
    score = CandidateScorer(CONFIG, runtime)
    seen = learnt(score, *BOTH)
    score([seen], BOTH, pictures(2, 1))
    alone = score([seen], ("ir",), pictures(1, 1))
    assert alone.weights.tolist() == [[0], [1], [0]] and runtime.memories[-1] is None
    assert seen.memory.tolist() == [0, 0, 0]
    assert runtime.states[-1].cameras == ("ir",)


def test_a_template_is_made_once_of_the_crops_as_they_were_cut() -> None:
    score = CandidateScorer(CONFIG, Recorded())
    seen = learnt(score, *BOTH)
    made = seen.states[BOTH]
    np.testing.assert_array_equal(made.kernels[0][:, 0], pictures(2))
    score([seen], BOTH, pictures(2, 1))
    assert list(seen.states) == [BOTH] and seen.states[BOTH] is made


def test_images_reach_the_network_channels_last() -> None:
    """Else convolutions are computed in another order, and every box of a track differs in its last bits."""
    given = []

    class Network:
        def template(self, images, cameras):
            given.append(images)
            return Template((images.flatten(0, 1),), cameras)

        def search(self, template, images, memory):
            given.append(images)
            return SearchOutput(images[0], images[0], {})

    runtime = TorchRuntime(Network())
    crops = pictures(2, 1)
    runtime.search(runtime.template(crops, BOTH), crops)
    for images in given:
        assert images.dtype == torch.float32 and images[:, 0].is_contiguous(memory_format=torch.channels_last)
        np.testing.assert_array_equal(images.permute(0, 1, 3, 4, 2), crops)


def test_several_targets_are_followed_as_each_by_itself() -> None:
    """In one pass through the network, though one was learnt later, and a camera is missing for a while."""
    scene = draw_sequence("street", length=6, size=(160, 120), seed=3)
    loop = TrackingLoop(CONFIG, build_tracker(CONFIG, "untrained", "cpu").runtime)
    boxes = [scene.info.start_box, (20.0, 30.0, 24.0, 18.0), (90.0, 60.0, 16.0, 30.0)]

    def follow(chosen: list[int]) -> dict[int, list[float]]:
        frames, targets, found = CameraFrames(CONFIG), {}, {}
        for index in range(6):
            frame = scene.frame(index)
            images = frames(frame.rgb, None if index == 3 else frame.ir)
            results = loop.step(list(targets.values()), images, frames)
            for number, result in zip(targets, results, strict=True):
                found.setdefault(number, []).append([*result.box, result.score, *result.weights])
            for number in chosen:
                if number not in targets and index >= number:
                    targets[number] = loop.start(images, frames.size, boxes[number])
        return found

    together = follow([0, 1, 2])
    assert [len(values) for values in together.values()] == [5, 4, 3]
    for number, values in together.items():
        np.testing.assert_allclose(values, follow([number])[number], atol=1e-3)
