"""Folders of photographs, and the objects found in them."""

import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.data.photos import list_objects, list_photos


def test_one_photograph_is_not_enough(tmp_path):
    with pytest.raises(UserError, match="at least 2 photographs"):
        list_photos(tmp_path, 2)


def test_photographs_without_an_object_are_left_out(segmented):
    photos, masks = segmented
    found = list_objects(photos, masks)
    assert [item.photo.stem for item in found] == ["a", "b"] and all(item.roomy for item in found)
    assert found[0].box == pytest.approx((135, 90, 31, 61), abs=1)
    with pytest.raises(UserError, match=r"two or more objects.*found 1.*rgbt data masks"):
        list_objects(photos[:1], masks)
