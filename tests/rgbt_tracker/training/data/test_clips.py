"""Clips: which crops pass the filters, which instants make a pair."""

import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.data.clips import read_clips
from rgbt_tracker.training.material import Source


def test_filters_that_leave_nothing(crop_set):
    with pytest.raises(UserError, match="filters"):
        read_clips(Source(crops=crop_set, match=("nothing",)))
    assert [clip.name for clip in read_clips(Source(crops=crop_set, modality="ir", match=("still",)))] == ["still-ir"]


def test_pairs_stay_within_the_gap(crop_set):
    clip = read_clips(Source(crops=crop_set, match=("clip0",)))[0]
    assert [clip.instants[i].frame for i in clip.near(1, 100)] == [1, 11, 61]
