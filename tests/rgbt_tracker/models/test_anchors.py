"""Anchors, points and their decoding."""

import torch

from rgbt_tracker.config import AnchorConfig
from rgbt_tracker.models.anchors import decode_anchors, decode_points, make_anchors, make_points, target_scores


def test_anchors_are_the_published_ones() -> None:
    anchors = make_anchors(AnchorConfig(), 25)
    assert anchors.shape == (4, 3125)
    shapes = [(104, 32), (88, 40), (64, 64), (40, 80), (32, 96)]
    assert [tuple(anchors[2:, 625 * i].tolist()) for i in range(5)] == shapes
    assert anchors[0].min() == -96
    assert anchors[0].max() == 96
    assert anchors[:2, 1].tolist() == [-88, -96]


def test_decoding_inverts_encoding() -> None:
    generator = torch.Generator().manual_seed(0)
    anchors = make_anchors(AnchorConfig(), 5)
    boxes = torch.rand(1, 4, 125, generator=generator) * 50 + 5
    delta = torch.cat([(boxes[:, :2] - anchors[:2]) / anchors[2:], (boxes[:, 2:] / anchors[2:]).log()], 1)
    torch.testing.assert_close(decode_anchors(delta.reshape(1, 20, 5, 5), anchors), boxes)
    points = make_points(16, 15)
    sides = torch.rand(1, 4, 15, 15, generator=generator) * 40
    decoded = decode_points(sides, points)[0]
    flat = sides.reshape(4, -1)
    torch.testing.assert_close(decoded[0] - decoded[2] / 2, points[0] - flat[0])
    torch.testing.assert_close(decoded[1] + decoded[3] / 2, points[1] + flat[3])


def test_scores_are_the_second_class_of_a_softmax() -> None:
    logits = torch.randn(1, 10, 3, 3, generator=torch.Generator().manual_seed(0))
    expected = torch.sigmoid(logits[:, 5:] - logits[:, :5]).reshape(1, -1)
    torch.testing.assert_close(target_scores(logits), expected)
