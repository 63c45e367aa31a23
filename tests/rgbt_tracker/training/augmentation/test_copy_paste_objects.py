"""Segmented objects as training clips: the box bounds the object, others pass beside it."""

import numpy as np
import pytest

from rgbt_tracker.training.augmentation import copy_paste_objects as objects
from rgbt_tracker.training.data.photos import list_objects
from rgbt_tracker.training.pictures import read_picture


def bounds(inside):
    rows, columns = np.nonzero(inside)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("seed", range(12))
def test_the_box_bounds_the_object(segmented, seed):
    photos, masks = segmented
    found = list_objects(photos, masks)
    rng = np.random.default_rng(seed)
    target = found[seed % 2]
    way = objects.in_place if seed < 6 else lambda r, t, c: objects.in_front_of(r, t, [], objects.Scene(photos[2]), c)
    for view in way(rng, target, read_picture):
        x, y, w, h = view.box
        assert (w + (w + h) / 2) * (h + (w + h) / 2) == pytest.approx(127**2, rel=0.5)
        # the object is the only bright thing, and in the thermal view the only thing of its temperature
        picture = view.images["rgb"][..., 1].astype(float)
        middle = (picture[191, 191] + picture[5, 5]) / 2
        np.testing.assert_allclose(bounds(picture > middle), [x, y, x + w, y + h], atol=2.5)
        thermal = view.images["ir"][..., 0].astype(float)
        assert abs(thermal[185:198, 185:198].mean() - thermal[:20, :20].mean()) > 15
        assert view.mask is not None and view.mask.shape == picture.shape


def test_both_moments_have_the_same_temperatures(segmented):
    photos, masks = segmented
    target = list_objects(photos, masks)[0]
    for way in (objects.in_place, lambda r, t, c: objects.in_front_of(r, t, [], objects.Scene(photos[2]), c)):
        first, second = way(np.random.default_rng(4), target, read_picture)
        levels = [view.images["ir"][185:198, 185:198].mean() for view in (first, second)]
        assert levels[0] == pytest.approx(levels[1], abs=4)


def test_others_pass_beside_the_target(segmented):
    photos, masks = segmented
    target, other = list_objects(photos, masks)
    for seed in range(6):
        alone, _ = objects.in_front_of(np.random.default_rng(seed), target, [], objects.Scene(photos[2]), read_picture)
        crowd, _ = objects.in_front_of(
            np.random.default_rng(seed), target, [other, other], objects.Scene(photos[2]), read_picture
        )
        bright = [(view.images["rgb"][..., 1] > 125).sum() for view in (alone, crowd)]
        assert bright[1] > 1.2 * bright[0]
        # what the box says does not depend on who passes
        assert crowd.box[2:] == pytest.approx(alone.box[2:], rel=0.35)
