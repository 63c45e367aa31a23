"""Anchor targets against overlap computed elsewhere and against decoding."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rgbt_tracker.boxes import overlap
from rgbt_tracker.config import AnchorConfig
from rgbt_tracker.models.anchors import decode_anchors, make_anchors
from rgbt_tracker.training.data.targets import anchor_grid
from rgbt_tracker.training.recipe import Targets

GRID = anchor_grid(AnchorConfig(), 25, 255)


def test_first_and_last_anchor_are_pysot_s():
    corners = GRID.corners
    # PySOT's generate_all_anchors(127, 25): ratio 0.33, 104x32 around 31; ratio 3, 32x96 around 223
    np.testing.assert_allclose(corners[:, 0, 0, 0], [31 - 52, 31 - 16, 31 + 52, 31 + 16])
    np.testing.assert_allclose(corners[:, 4, 24, 24], [223 - 16, 223 - 48, 223 + 16, 223 + 48])


boxes = st.tuples(st.floats(60, 190), st.floats(60, 190), st.floats(20, 120), st.floats(20, 120))


@settings(max_examples=40, deadline=None)
@given(boxes, st.integers(0, 1000))
def test_positive_target_obeys_the_recipe(box, seed):
    cx, cy, w, h = box
    corners = np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])
    target = GRID.positive(corners, Targets(), np.random.default_rng(seed))
    x1, y1, x2, y2 = GRID.corners
    iou = overlap(np.stack([x1, y1, x2 - x1, y2 - y1], -1), [corners[0], corners[1], w, h])
    np.testing.assert_allclose(GRID.overlaps(corners), iou, atol=1e-12)
    positive, negative = target.label == 1, target.label == 0
    assert (iou[positive] > 0.6).all() and (iou[negative] < 0.3).all()
    assert positive.sum() == min(16, (iou > 0.6).sum()) and negative.sum() == min(48, (iou < 0.3).sum())
    assert target.weight[~positive].sum() == 0
    if positive.any():
        assert target.weight.sum() == pytest.approx(1, rel=1e-4)
    np.testing.assert_array_equal(target.background, iou < 0.3)
    # the tracker decodes every anchor's offsets to the one box
    loc = torch.from_numpy(target.delta).reshape(1, 20, 25, 25)
    decoded = decode_anchors(loc, make_anchors(AnchorConfig(), 25))[0].numpy()
    np.testing.assert_allclose(decoded, np.broadcast_to([[cx - 127], [cy - 127], [w], [h]], decoded.shape), atol=1e-3)


def test_negative_target_lies_around_the_other_object():
    box = np.array([150.0, 60.0, 190.0, 100.0])  # centre (170, 80)
    target = GRID.negative(box, Targets(), np.random.default_rng(0))
    assert (target.label == 0).sum() == 16 and (target.label == 1).sum() == 0 and target.weight.sum() == 0
    _, rows, columns = np.nonzero(target.label == 0)
    # PySOT: 12 + ceil((170 - 127) / 8 + .5) = 18 and 12 + ceil((80 - 127) / 8 + .5) = 7, +-3
    assert set(columns) <= set(range(15, 22)) and set(rows) <= set(range(4, 11))


def test_negative_target_outside_the_grid_is_empty():
    box = np.array([900.0, 900.0, 940.0, 940.0])
    assert (GRID.negative(box, Targets(), np.random.default_rng(0)).label == -1).all()
