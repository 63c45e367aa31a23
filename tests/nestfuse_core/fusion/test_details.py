"""Half resolution and back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nestfuse_core.fusion import details
from nestfuse_core.fusion.details import halve, with_details


@pytest.mark.parametrize("size", [(72, 88), (71, 89), (16, 17), (301, 40)])
def test_a_picture_with_itself_comes_back(picture, size):
    grey = picture(1, *size).astype(np.float32)
    small = halve(grey)
    assert small.shape == ((size[0] + 1) // 2, (size[1] + 1) // 2)
    np.testing.assert_allclose(with_details(small, grey, grey), grey, atol=1e-3)


def test_means_of_blocks(picture):
    grey = picture(1, 40, 60).astype(np.float32)
    np.testing.assert_allclose(halve(grey), grey.reshape(20, 2, 30, 2).mean((1, 3)), atol=1e-4)


def test_details_come_from_the_source_that_has_them(picture):
    grey = picture(1, 64, 64).astype(np.float32)
    smooth = cv2.GaussianBlur(grey, (0, 0), 6)
    smooth[:, 32:], grey[:, 32:] = grey[:, 32:].copy(), smooth[:, 32:].copy()
    fused = with_details((halve(grey) + halve(smooth)) / 2, grey, smooth)
    sharp = np.where(np.arange(64) < 32, grey, smooth)
    lost = sharp - cv2.resize(halve(sharp), (64, 64), interpolation=cv2.INTER_LINEAR)
    kept = fused - cv2.resize((halve(grey) + halve(smooth)) / 2, (64, 64), interpolation=cv2.INTER_LINEAR)
    inner = np.s_[4:-4, 4:26]
    assert np.corrcoef(lost[inner].ravel(), kept[inner].ravel())[0, 1] > 0.95


def test_bands_leave_no_trace(picture, monkeypatch):
    ir, vis = (picture(seed, 301, 90).astype(np.float32) for seed in (1, 2))
    fused = halve(ir)
    banded = with_details(fused, ir, vis)
    monkeypatch.setattr(details, "BAND", 1000)
    np.testing.assert_allclose(banded, with_details(fused, ir, vis), atol=1e-3)
