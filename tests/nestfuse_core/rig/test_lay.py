"""Laying thermal pictures: values, what is not covered, lenses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestfuse_core.rig.file import Lens, Rig
from nestfuse_core.rig.lay import Laying, distorted, undistorted

MATRIX = ((500.0, 0.0, 319.5), (0.0, 500.0, 239.5), (0.0, 0.0, 1.0))


def shifted(x: float, y: float, **more) -> Rig:
    return Rig(visible=(40, 30), thermal=(40, 30), homography=((1, 0, x), (0, 1, y), (0, 0, 1)), **more)


@given(st.integers(-12, 12), st.integers(-9, 9))
def test_a_whole_shift_copies_pixels_and_knows_the_rest(x, y):
    image = np.random.default_rng(0).integers(0, 256, (30, 40), np.uint8)
    laid, nothing = Laying(shifted(x, y))(image, (40, 30))
    rows, columns = np.mgrid[:30, :40]
    inside = (columns >= x) & (columns < 40 + x) & (rows >= y) & (rows < 30 + y)
    assert np.array_equal(nothing, ~inside)
    assert np.array_equal(laid[inside], image[(rows - y)[inside], (columns - x)[inside]])


def test_for_tracking_what_is_not_covered_counts_for_nothing():
    image = np.full((30, 40), 90, np.uint8)
    image[:, 20:] = 110
    laid = Laying(shifted(10, 0)).for_tracking(image, (40, 30))
    assert set(np.unique(laid[:, :10])) == {97} or set(np.unique(laid[:, :10])) == {96}  # 20 columns of 90, 10 of 110
    raw = image.astype(np.uint16) * 100
    laid = Laying(shifted(10, 0)).for_tracking(raw, (40, 30))
    assert laid.dtype == np.float32 and np.isnan(laid[:, :10]).all()
    assert np.array_equal(laid[:, 10:], raw[:, :30].astype(np.float32))


def test_a_stated_range_makes_grey_levels_of_raw_values():
    raw = np.full((30, 40), 3000, np.uint16)
    raw[:, 20:] = 4000
    laid, nothing = Laying(shifted(0, 0, thermal_range=(3000, 5000)))(raw, (40, 30))
    assert laid.dtype == np.uint8 and not nothing.any()
    assert set(np.unique(laid)) == {0, 128}


def test_pixels_without_a_measurement_stay_without_one():
    raw = np.random.default_rng(0).normal(20, 3, (30, 40)).astype(np.float32)
    raw[5:9, 6:11] = np.nan
    _, nothing = Laying(shifted(2, 1))(raw, (40, 30))
    assert nothing[6:10, 8:13].all() and not nothing[12:, 15:].any()


@settings(max_examples=20)
@given(st.floats(-0.2, 0.2), st.floats(-0.03, 0.03), st.floats(-0.002, 0.002))
def test_a_lens_undoes_itself(k1, k2, p1):
    lens = Lens(matrix=MATRIX, distortion=(k1, k2, p1, 0.0, 0.0))
    points = np.array([[[100.0, 80.0]], [[320.0, 240.0]], [[560.0, 400.0]]])
    assert np.allclose(undistorted(distorted(points, lens), lens), points, atol=0.05)


def test_lenses_bend_where_the_picture_is_read():
    # Barrel distortion of the thermal lens: towards the corner it is read nearer to its centre.
    lens = Lens(matrix=MATRIX, distortion=(-0.2, 0.0, 0.0, 0.0))
    across = np.tile(np.arange(640, dtype=np.float32), (480, 1))
    size = {"visible": (640, 480), "thermal": (640, 480)}
    same = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    laid, _ = Laying(Rig(**size, homography=same, thermal_lens=lens))(across, (640, 480))
    x, y = (600 - 319.5) / 500, (240 - 239.5) / 500
    by_hand = 319.5 + 500 * x * (1 - 0.2 * (x * x + y * y))
    assert laid[240, 600] == pytest.approx(by_hand, abs=0.05)
    laid, _ = Laying(Rig(**size, homography=same, thermal_lens=lens, visible_lens=lens))(across, (640, 480))
    assert np.allclose(laid[200:280, 100:540], across[200:280, 100:540], atol=0.1)
