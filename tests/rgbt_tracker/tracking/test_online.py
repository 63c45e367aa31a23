"""The classifier that learns the target while it is tracked."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from rgbt_tracker import build_tracker
from rgbt_tracker.config import OnlineConfig, load_config
from rgbt_tracker.models.anchors import position_scores, target_scores
from rgbt_tracker.synthetic import draw_sequence
from rgbt_tracker.tracking.online import CALM, OnlineClassifier, at_centres
from rgbt_tracker.tracking.run import track_sequence

BRANCHES, VIEWS, CHANNELS, SIZE = 2, 3, 5, 7
OPTIONS = OnlineConfig(weight=0.5, first=0.3, rate=0.2, confident=0.5, ridge=0.05, spread=1.1)
GENERATOR = torch.Generator().manual_seed(0)


def draw(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=GENERATOR)


FIRST = draw(BRANCHES, VIEWS, CHANNELS, SIZE, SIZE), draw(VIEWS, SIZE, SIZE), torch.tensor([[0, 0], [1.5, -2], [-1, 1]])
LATER = draw(BRANCHES, CHANNELS, SIZE, SIZE), draw(SIZE, SIZE), torch.tensor([0.5, 1.0])
ANOTHER = draw(BRANCHES, CHANNELS, SIZE, SIZE)
SURE, UNSURE = torch.tensor(0.9), torch.tensor(0.4)


def samples(branch: np.ndarray, scores: np.ndarray, places: np.ndarray, scale: np.ndarray):
    """Position by position: inputs with a constant, labels, and what each counts."""
    inputs, labels, values = [], [], []
    for view in range(len(places)):
        label, around = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
        for row, column in np.ndindex(SIZE, SIZE):
            away = np.array([row, column]) - SIZE // 2 - places[view]
            label[row, column] = np.exp(-(away @ away) / (2 * OPTIONS.spread**2))
            around[row, column] = (1 - label[row, column]) * (CALM + scores[view, row, column])
        for row, column in np.ndindex(SIZE, SIZE):
            inputs.append([*(branch[view, :, row, column] / scale), 1.0])
            labels.append(label[row, column])
            values.append(label[row, column] / label.sum() + around[row, column] / around.sum())
    return np.array(inputs), np.array(labels), np.array(values) / len(places)


def expected(branch: int, later_share: float) -> np.ndarray:
    """Scores of `ANOTHER` by least squares over both frames' positions, the later one counting ``later_share``."""
    channels = FIRST[0][branch].numpy().astype(float)
    scale = np.sqrt((channels**2).mean((0, 2, 3)))
    first = samples(channels, FIRST[1].numpy(), FIRST[2].numpy(), scale)
    later = samples(LATER[0][branch, None].numpy(), LATER[1][None].numpy(), LATER[2][None].numpy(), scale)
    inputs, labels = np.concatenate([first[0], later[0]]), np.concatenate([first[1], later[1]])
    root = np.sqrt(np.concatenate([(1 - later_share) * first[2], later_share * later[2]]))
    ridge = np.sqrt(OPTIONS.ridge) * np.eye(CHANNELS + 1)
    system = np.concatenate([root[:, None] * inputs, ridge])
    weights = np.linalg.lstsq(system, np.concatenate([root * labels, np.zeros(CHANNELS + 1)]), rcond=None)[0]
    flat = ANOTHER[branch].numpy().reshape(CHANNELS, -1) / scale[:, None]
    return np.clip(weights[:-1] @ flat + weights[-1], 0, 1).reshape(SIZE, SIZE)


@pytest.mark.parametrize("confidence", [None, SURE, UNSURE])
def test_it_is_the_weighted_ridge_regression_over_all_positions(confidence: torch.Tensor | None) -> None:
    classifier = OnlineClassifier(OPTIONS, *FIRST)
    if confidence is not None:
        classifier.learn(*LATER, confidence)
    learned = (1 - OPTIONS.first) * OPTIONS.rate if confidence is SURE else 0.0
    for branch, scores in enumerate(classifier.scores(ANOTHER)):
        np.testing.assert_allclose(scores, expected(branch, learned), atol=2e-4)


def test_it_tells_the_target_from_one_whom_the_head_takes_for_it() -> None:
    channels = torch.full((1, 1, CHANNELS, SIZE, SIZE), 0.1) + 0.01 * draw(1, 1, CHANNELS, SIZE, SIZE)
    scores = torch.full((1, SIZE, SIZE), 0.01)
    for row, column, own in ((3, 3, 0), (3, 6, 1)):
        channels[0, 0, :3, row, column] += 1
        channels[0, 0, 3 + own, row, column] += 0.5
        scores[0, row, column] = 0.99
    options = OnlineConfig(weight=0.5, spread=0.5, ridge=1e-3)
    found = OnlineClassifier(options, channels, scores, torch.zeros(1, 2)).scores(channels[:, 0])[0]
    assert found[3, 3] > 0.9
    assert found[3, 6] < 0.1


def test_a_box_that_leads_far_out_teaches_as_one_at_the_edge() -> None:
    far, edge = OnlineClassifier(OPTIONS, *FIRST), OnlineClassifier(OPTIONS, *FIRST)
    far.learn(LATER[0], LATER[1], torch.tensor([-200.0, 1.0]), SURE)
    edge.learn(LATER[0], LATER[1], torch.tensor([-3.0, 1.0]), SURE)
    assert torch.isfinite(far.scores(ANOTHER)).all()
    torch.testing.assert_close(far.scores(ANOTHER), edge.scores(ANOTHER))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([15, 25]), st.sampled_from([8, 16]))
def test_scores_are_read_at_the_candidates_centres(seed: int, size: int, stride: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.random((size, size)).astype(np.float32)
    boxes = rng.uniform(-stride * size, stride * size, (4, 20)).astype(np.float32)
    places = np.clip(boxes[1::-1] / stride + size // 2, 0, size - 1)
    read = at_centres(torch.from_numpy(scores), torch.from_numpy(boxes), stride)
    np.testing.assert_allclose(read, map_coordinates(scores, places, order=1), atol=1e-4)


def test_the_best_score_of_a_position() -> None:
    cls = draw(2, 6, 4, 4)
    scores = target_scores(cls).view(2, 3, 4, 4)
    torch.testing.assert_close(
        position_scores(target_scores(cls), 4), torch.maximum(torch.maximum(*scores[:, :2].unbind(1)), scores[:, 2])
    )


def test_two_threads_find_the_same_at_a_trackers_size() -> None:
    """MKL's LU, behind torch.linalg.solve, failed here with two threads."""
    first = draw(3, 4, 192, 25, 25), draw(4, 25, 25), torch.zeros(4, 2)
    found, before = [], torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(OnlineClassifier(OPTIONS, *first).scores(first[0][:, 0]))
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(*found, atol=1e-3, rtol=0)
    assert found[0][:, 12, 12].min() > found[0].mean() + 0.1


@pytest.mark.parametrize("modality", ["rgbt", "rgb", "ir"])
@pytest.mark.parametrize("name", ["nestfuse_siamrpn_mobilev2", "nestfuse_nanotrack"])
def test_every_head_and_modality_can_learn(name: str, modality: str) -> None:
    sequence = draw_sequence("street", length=4, seed=3)
    boxes = []
    for weight in (0.0, 1.0):
        changes = {"modality": modality, "tracking.online.weight": weight, "tracking.window": 0.0}
        tracker = build_tracker(load_config(name).replace(**changes), "untrained", "cpu")
        search, outputs = tracker.network.search, []
        tracker.network.search = lambda *asked, ask=search, seen=outputs: seen.append(ask(*asked)) or seen[-1]
        track = track_sequence(tracker, sequence)
        assert outputs and all((output.channels is not None) == bool(weight) for output in outputs)
        assert np.isfinite(track.boxes).all() and (track.scores >= 0).all() and (track.scores <= 1).all()
        boxes.append(track.boxes)
    assert np.abs(boxes[0] - boxes[1]).max() > 1
