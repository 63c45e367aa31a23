"""Point targets against SiamBAN's rule, restated in loops."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rgbt_tracker.config import load_config
from rgbt_tracker.models.anchors import decode_points, make_points
from rgbt_tracker.training.data.targets import make_grid
from rgbt_tracker.training.recipe import Targets

GRID = make_grid(load_config("nestfuse_nanotrack"), 15)
ALL = Targets(positives=1000, total=2000, negative_pair=1000)

boxes = st.tuples(st.floats(20, 230), st.floats(20, 230), st.floats(8, 160), st.floats(8, 160))


def corners_of(box):
    cx, cy, w, h = box
    return np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])


def label_of(x, y, box):
    """1, 0 or -1 of a point: its distance from the middle in quarters, and in halves, of the box's sides."""
    cx, cy, w, h = box
    if (cx - x) ** 2 / (w / 4) ** 2 + (cy - y) ** 2 / (h / 4) ** 2 < 1:
        return 1
    return 0 if (cx - x) ** 2 / (w / 2) ** 2 + (cy - y) ** 2 / (h / 2) ** 2 > 1 else -1


@settings(max_examples=30, deadline=None)
@given(boxes)
def test_labels_and_distances_are_the_published_ones(box):
    corners = corners_of(box)
    target = GRID.positive(corners, ALL, np.random.default_rng(0))
    assert target.label.shape == (1, 15, 15)
    for row in range(15):
        for column in range(15):
            x, y = 127 + (column - 7) * 16, 127 + (row - 7) * 16
            expected = label_of(x, y, box)
            assert target.label[0, row, column] == expected
            assert target.background[0, row, column] == (expected == 0)
            assert target.weight[0, row, column] == (expected == 1)
            edges = [x - corners[0], y - corners[1], corners[2] - x, corners[3] - y]
            np.testing.assert_allclose(target.delta[:, 0, row, column], edges, rtol=1e-4, atol=1e-4)
    # the tracker decodes every point's distances to the one box
    decoded = decode_points(torch.from_numpy(target.delta).reshape(1, 4, 15, 15), make_points(16, 15))[0].numpy()
    cx, cy, w, h = box
    np.testing.assert_allclose(decoded, np.broadcast_to([[cx - 127], [cy - 127], [w], [h]], decoded.shape), atol=1e-3)


def test_no_more_places_than_the_recipe_allows():
    target = GRID.positive(corners_of((127, 127, 170, 170)), Targets(), np.random.default_rng(0))
    assert (target.label == 1).sum() == 16 and (target.label == 0).sum() == 48
    assert target.background.sum() > 48


@settings(max_examples=20, deadline=None)
@given(boxes)
def test_another_object_is_negative_where_it_would_be_positive(box):
    corners = corners_of(box)
    target = GRID.negative(corners, ALL, np.random.default_rng(0))
    positive = GRID.positive(corners, ALL, np.random.default_rng(0)).label == 1
    np.testing.assert_array_equal(target.label == 0, positive)
    assert (target.label[~positive] == -1).all() and target.weight.sum() == 0 and target.background.all()
    few = GRID.negative(corners_of((127, 127, 170, 170)), Targets(), np.random.default_rng(0))
    assert (few.label == 0).sum() == 16
