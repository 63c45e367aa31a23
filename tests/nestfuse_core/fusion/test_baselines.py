"""Plain ways to fuse against other libraries, plain loops, and what any of them must do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import pywt
from skimage.transform import pyramid_expand

from nestfuse_core.fusion import baselines
from nestfuse_core.fusion.baselines import BASELINES


@pytest.mark.parametrize("name", list(BASELINES))
def test_a_picture_with_itself_comes_back(picture, name):
    grey = picture(1, 71, 90).astype(np.float32)
    fused = BASELINES[name](grey, grey)
    assert fused.dtype == np.float32
    np.testing.assert_allclose(fused, grey, atol=0.01)


@pytest.mark.parametrize("name", ["Laplacian pyramid", "wavelet", "guided filter"])
def test_details_of_both_sources_are_kept(picture, name):
    sharp = picture(1, 96, 96).astype(np.float32)
    smooth = cv2.GaussianBlur(sharp, (0, 0), 4)
    a, b = sharp.copy(), smooth.copy()
    a[:, 48:], b[:, 48:] = smooth[:, 48:], sharp[:, 48:]
    errors = [np.abs(BASELINES[way](a, b) - sharp).mean() for way in (name, "mean")]
    assert errors[0] < errors[1] / 2


def test_wavelets_level_by_level(picture):
    """With pywt's one-level transform instead of its multilevel one."""
    a, b = (picture(seed, 64, 64).astype(np.float64) for seed in (1, 2))

    def fuse(one, other, level):
        if level == 0:
            return (one + other) / 2
        (low1, high1), (low2, high2) = pywt.dwt2(one, "db2"), pywt.dwt2(other, "db2")
        high = tuple(np.where(abs(x) >= abs(y), x, y) for x, y in zip(high1, high2, strict=True))
        low = fuse(low1, low2, level - 1)[: high[0].shape[0], : high[0].shape[1]]
        return pywt.idwt2((low, high), "db2")

    expected = np.clip(fuse(a, b, baselines.LEVELS)[:64, :64], 0, 255)
    np.testing.assert_allclose(baselines.wavelet(a.astype(np.float32), b.astype(np.float32)), expected, atol=1e-2)


def test_the_coarsest_picture_of_a_pyramid_is_the_mean():
    """Of two ramps no detail is larger than rounding, so what is left is their mean; skimage expands it alike."""
    y, x = np.mgrid[:64, :64].astype(np.float32)
    fused = baselines.laplacian_pyramid(2 * x + 40, 2 * y + 40)
    inner = np.s_[24:40, 24:40]
    np.testing.assert_allclose(fused[inner], (x + y + 40)[inner], atol=1.5)
    small = cv2.pyrDown(x + y)
    ours, theirs = cv2.pyrUp(small), pyramid_expand(small.astype(float), upscale=2, sigma=1.0)
    np.testing.assert_allclose(ours[inner], theirs[inner], atol=1.5)


def test_the_guided_filter_window_by_window(picture):
    """a = cov(I, p) / (var I + eps), b = mean p - a mean I in every window, then means of a and b (He et al.)."""
    image, guide = (picture(seed, 24, 26).astype(np.float64) / 255 for seed in (1, 2))
    radius, epsilon = 2, 0.01
    padded = [np.pad(one, 2 * radius, mode="reflect") for one in (image, guide)]
    height, width = image.shape
    slope, offset = np.zeros((2, height + 2 * radius, width + 2 * radius))
    for y in range(slope.shape[0]):
        for x in range(slope.shape[1]):
            p, i = (one[y : y + 2 * radius + 1, x : x + 2 * radius + 1] for one in padded)
            slope[y, x] = ((i * p).mean() - i.mean() * p.mean()) / (i.var() + epsilon)
            offset[y, x] = p.mean() - slope[y, x] * i.mean()
    expected = np.empty_like(image)
    for y in range(height):
        for x in range(width):
            window = np.s_[y : y + 2 * radius + 1, x : x + 2 * radius + 1]
            expected[y, x] = slope[window].mean() * guide[y, x] + offset[window].mean()
    found = baselines.guided(image.astype(np.float32), guide.astype(np.float32), radius, epsilon)
    np.testing.assert_allclose(found, expected.clip(0, 1), atol=1e-5)
