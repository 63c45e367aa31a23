"""Anchors, points and their decoding, in NumPy and in torch."""

import numpy as np
import pytest
import torch

from rgbt_tracker.config import AnchorConfig
from rgbt_tracker.models.anchors import (
    centred_overlap,
    change_penalty,
    decode_anchors,
    decode_points,
    make_anchors,
    make_points,
    target_scores,
)


def test_anchors_are_the_published_ones() -> None:
    anchors = make_anchors(AnchorConfig(), 25)
    assert anchors.shape == (4, 3125)
    shapes = [(104, 32), (88, 40), (64, 64), (40, 80), (32, 96)]
    assert [tuple(anchors[2:, 625 * i].tolist()) for i in range(5)] == shapes
    assert anchors[0].min() == -96
    assert anchors[0].max() == 96
    assert anchors[:2, 1].tolist() == [-88, -96]


@pytest.mark.parametrize("kind", [torch.from_numpy, np.asarray], ids=["torch", "numpy"])
def test_decoding_inverts_encoding(kind) -> None:
    rng = np.random.default_rng(0)
    anchors = make_anchors(AnchorConfig(), 5)
    boxes = rng.uniform(5, 55, (1, 4, 125)).astype(np.float32)
    delta = np.concatenate([(boxes[:, :2] - anchors[:2]) / anchors[2:], np.log(boxes[:, 2:] / anchors[2:])], 1)
    decoded = decode_anchors(kind(delta.reshape(1, 20, 5, 5)), anchors)
    assert isinstance(decoded, type(kind(delta)))
    np.testing.assert_allclose(decoded, boxes, rtol=1e-5, atol=1e-5)
    points = make_points(16, 15)
    sides = rng.uniform(0, 40, (1, 4, 15, 15)).astype(np.float32)
    decoded = np.asarray(decode_points(kind(sides), points))[0]
    flat = sides.reshape(4, -1)
    np.testing.assert_allclose(decoded[0] - decoded[2] / 2, points[0] - flat[0], atol=1e-4)
    np.testing.assert_allclose(decoded[1] + decoded[3] / 2, points[1] + flat[3], atol=1e-4)


def test_scores_are_the_second_class_of_a_softmax() -> None:
    logits = torch.randn(1, 10, 3, 3, generator=torch.Generator().manual_seed(0))
    expected = torch.sigmoid(logits[:, 5:] - logits[:, :5]).reshape(1, -1)
    torch.testing.assert_close(target_scores(logits), expected)
    torch.testing.assert_close(torch.from_numpy(target_scores(logits.numpy())), expected)
    assert target_scores(np.full((1, 2, 1, 1), 1e4, np.float32) * [[[[-1]], [[1]]]]).tolist() == [[1.0]]


def test_penalties_and_overlaps_are_the_same_in_both() -> None:
    first, second = np.random.default_rng(1).uniform(5, 55, (2, 2, 4, 9)).astype(np.float32)
    sizes = np.array([[20.0], [30.0]], np.float32), np.array([[25.0], [8.0]], np.float32)
    both = [
        (change_penalty(kind(first), *map(kind, sizes), 0.1), centred_overlap(kind(first), kind(second)))
        for kind in (np.asarray, torch.from_numpy)
    ]
    for arrays, tensors in zip(*both, strict=True):
        np.testing.assert_allclose(arrays, tensors, rtol=1e-5)
        assert arrays.min() >= 0 and arrays.max() <= 1
