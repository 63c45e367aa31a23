"""Distractors that stand clear of the target, and those that cross its way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgbt_tracker.training.augmentation import distractors
from rgbt_tracker.training.views import TargetView

SIDE = 255


def target_view(level: int, masked: bool, modality: str = "rgb") -> TargetView:
    """A target of one level, 60 x 90 px in its crop, with or without a known silhouette (all of its box)."""
    mask = np.zeros((383, 383), np.uint8)
    mask[147:237, 161:221] = 255
    image = np.full((383, 383, 3), level, np.uint8)
    image[::2] //= 2
    return TargetView({modality: image}, (161.0, 147.0, 60.0, 90.0), mask if masked else None)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return np.abs(after.astype(int) - before).max(-1) > 8


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    corner=st.tuples(st.floats(20, 150), st.floats(20, 150)),
    size=st.tuples(st.floats(12, 80), st.floats(12, 80)),
    crossing=st.booleans(),
)
def test_one_who_crosses_hides_a_part_of_the_target_and_others_nothing(seed, corner, size, crossing) -> None:
    search = np.full((SIDE, SIDE, 3), 20, np.uint8)
    corners = np.array([*corner, corner[0] + size[0], corner[1] + size[1]])
    pasted = distractors.paste_distractor(
        np.random.default_rng(seed), [search], ["rgb"], corners, target_view(240, True), crossing
    )
    x1, y1, x2, y2 = corners.round().astype(int)
    hidden = changed(search, pasted[0])[y1:y2, x1:x2].mean()
    if crossing:
        assert hidden < distractors.HIDDEN[1] + 0.15
        assert hidden > 0 or np.array_equal(search, pasted[0])
    else:
        assert hidden < 0.1  # interpolation at the rim


def test_one_who_crosses_is_about_as_large_as_the_target() -> None:
    search = np.full((SIDE, SIDE, 3), 20, np.uint8)
    corners = np.array([110.0, 100.0, 140.0, 145.0])
    areas = []
    for seed in range(40):
        pasted = distractors.paste_distractor(
            np.random.default_rng(seed), [search], ["rgb"], corners, target_view(240, True), True
        )
        areas.append(changed(search, pasted[0]).sum() / (30 * 45))
    areas = [area for area in areas if area]
    assert len(areas) > 30
    assert np.exp(np.mean(np.log(areas))) == pytest.approx(1, rel=0.25)


def test_in_pseudo_thermal_views_many_who_cross_are_as_warm_as_the_target() -> None:
    search = np.full((SIDE, SIDE, 3), 60, np.uint8)
    search[100:160, 100:140] = 190
    corners = np.array([100.0, 100.0, 140.0, 160.0])
    levels = []
    for seed in range(40):
        pasted = distractors.paste_distractor(
            np.random.default_rng(seed), [search], ["ir"], corners, target_view(110, True), True
        )
        outside = changed(search, pasted[0])
        outside[95:165, 95:145] = False
        if outside.sum() > 50:
            levels.append(float(np.median(pasted[0][outside])))
    near = np.abs(np.array(levels) - 190) < 45
    assert 0.35 < near.mean() < 0.9


def test_the_same_place_in_both_modalities() -> None:
    search = np.full((SIDE, SIDE, 3), 20, np.uint8)
    corners = np.array([110.0, 100.0, 140.0, 145.0])
    rgb, ir = distractors.paste_distractor(
        np.random.default_rng(3), [search, search.copy()], ["rgb", "ir"], corners, target_view(240, False), True
    )
    assert changed(search, rgb).any()
    assert (changed(search, rgb) & changed(search, ir)).sum() > 0.8 * changed(search, rgb).sum()


def bounds(inside):
    rows, columns = np.nonzero(inside)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_a_silhouette_replaces_the_distractors_ellipse():
    mask = np.zeros((383, 383), np.uint8)
    mask[150:230, 181:201] = 255
    other = TargetView({"rgb": np.full((383, 383, 3), 200, np.uint8)}, (151.0, 150.0, 80.0, 80.0), mask)
    search = np.zeros((255, 255, 3), np.uint8)
    corners = np.array([100.0, 100.0, 140.0, 140.0])
    drawn = distractors.paste_distractor(np.random.default_rng(1), [search], ["rgb"], corners, other)[0][..., 0] > 100
    left, top, right, bottom = bounds(drawn)
    assert (bottom - top) / (right - left) == pytest.approx(4, rel=0.15)
