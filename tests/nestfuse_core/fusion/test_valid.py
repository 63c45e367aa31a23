"""Which pixels of a raw thermal picture are measurements."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nestfuse_core.fusion.thermal import robust_range
from nestfuse_core.fusion.valid import EDGE, fill, valid_pixels

HEIGHT, WIDTH = 120, 160
RIM = np.ones((HEIGHT, WIDTH), bool)
RIM[14:-14, 20:-20] = False


def scene(low: float, high: float, noise: float, seed: int = 0) -> np.ndarray:
    """Blurred blobs from ``low`` to ``high`` with a camera's noise, HxW float64."""
    rng = np.random.default_rng(seed)
    blobs = cv2.GaussianBlur(rng.standard_normal((HEIGHT, WIDTH)), (0, 0), 8)
    blobs = (blobs - blobs.min()) / np.ptp(blobs)
    return low + (high - low) * blobs + noise * rng.standard_normal(blobs.shape)


@pytest.mark.parametrize(
    ("low", "high", "noise", "kind", "mark"),
    [
        (29000, 30500, 4, np.uint16, 0),  # raw counts
        (-50, 300, 1, np.float32, -9999),
        (-12, 30, 0.05, np.float32, 0),  # Celsius around the mark itself
        (15, 30, 0.05, np.float32, 0),
        (268, 300, 0.05, np.float64, 0),  # Kelvin
        (100, 900, 3, np.int16, -32768),
        (268, 300, 0.05, np.float32, np.nan),
        (268, 300, 0.05, np.float32, np.inf),
    ],
)
def test_a_rim_is_no_measurement(low, high, noise, kind, mark):
    whole = scene(low, high, noise)
    image = np.where(RIM, mark, whole).astype(kind)
    valid = valid_pixels(image)
    assert not valid[RIM].any()
    expected = cv2.dilate(RIM.astype(np.uint8), EDGE) == 0 if np.isfinite(mark) else ~RIM
    np.testing.assert_array_equal(valid, expected)
    inside = whole[expected]
    span = float(np.ptp(inside))
    np.testing.assert_allclose(robust_range([image]), np.percentile(inside, (0.1, 99.9)), atol=0.02 * span)


def test_a_warped_picture_loses_what_was_mixed_with_its_rim():
    image = scene(29000, 30500, 4).astype(np.uint16)
    turned = cv2.warpAffine(image, np.array([[0.8, 0.1, 10], [-0.1, 0.8, 20.5]]), (WIDTH, HEIGHT))
    assert turned[valid_pixels(turned)].min() > 28900 and valid_pixels(turned).mean() > 0.5


@pytest.mark.parametrize(
    "image",
    [
        scene(29000, 30500, 4).astype(np.uint16),
        # A night scene in few levels, its sky clipped to 0 along the upper border.
        np.clip(scene(-60, 255, 1), 0, 255).astype(np.uint16),
        # Whole degrees below and above zero.
        np.rint(scene(-8, 9, 0.3)).astype(np.float32),
        # Something saturated is hot, not absent.
        np.where(RIM, 16383, scene(7000, 8000, 4)).astype(np.uint16),
    ],
    ids=["counts", "clipped", "whole degrees", "saturated"],
)
def test_cold_and_hot_parts_are_measurements(image):
    assert valid_pixels(image).all()


def test_dead_pixels_and_empty_pictures():
    image = scene(29000, 30500, 4).astype(np.uint16)
    image[60, 80] = 0
    assert not valid_pixels(image)[60, 80] and valid_pixels(image).sum() == image.size - EDGE.size
    assert not valid_pixels(np.zeros((6, 8), np.uint16)).any()
    assert not valid_pixels(np.full((6, 8), np.nan, np.float32)).any()


def test_eight_bits_are_grey_levels_and_all_valid():
    assert valid_pixels(np.where(RIM, 0, scene(80, 250, 1)).astype(np.uint8)).all()


def test_filling():
    valid = np.array([[True, True], [False, True]])
    np.testing.assert_array_equal(fill(np.array([[10, 20], [0, 31]], np.uint8), valid), [[10, 20], [20, 31]])
    assert not fill(np.array([[7, 7]], np.uint8), np.zeros((1, 2), bool)).any()
