"""Warm parts in colours over the visible picture."""

from __future__ import annotations

import numpy as np
import pytest

from nestfuse_core.fusion.overlay import Overlay, Warmth


@pytest.fixture
def pair(picture):
    """A thermal picture with one warm patch, and a visible one."""
    ir = picture(1, 96, 128) // 8 + 40
    ir[40:60, 50:70] = 230
    return ir, picture(2, 96, 128, 3)


def test_only_warm_parts_are_coloured(pair):
    ir, vis = pair
    for seen in (vis, vis[..., 1]):
        image = Overlay()(ir, seen).image
        before = np.repeat(seen[..., None], 3, axis=2) if seen.ndim == 2 else seen
        assert image.shape == before.shape and image.dtype == np.uint8
        changed = (image != before).any(axis=2)
        assert changed[41:59, 51:69].all() and changed.mean() < 0.06
        # Inferno's brightest colours: much red, then green, little blue.
        assert (image[45:55, 55:65].mean(axis=(0, 1))[[2, 1]] > 150).all()
    np.testing.assert_array_equal(Overlay()(np.full_like(ir, 90), vis).image, vis)


def test_deep_pictures_keep_their_depth(pair):
    ir, vis = pair
    deep = Overlay()(29000 + 10 * ir.astype(np.uint16), vis.astype(np.uint16) * 257)
    assert deep.image.dtype == np.uint16 and "16-bit infrared" in deep.notes[0]
    shallow = Overlay((29000, 31550))(29000 + 10 * ir.astype(np.uint16), vis).image
    np.testing.assert_allclose(deep.image / 257, shallow, atol=60)


def test_thresholds_follow_slowly(pair):
    ir, vis = pair
    video = Overlay().video()
    first = video(ir, vis).image
    np.testing.assert_array_equal(first, Overlay()(ir, vis).image)
    hot = ir.copy()
    hot[:30] = 250
    patch = video(hot, vis).image[45:55, 55:65].astype(int)
    assert np.abs(patch - first[45:55, 55:65]).mean() < 12
    assert Warmth.of(hot.astype(np.float32)).warm > Warmth.of(ir.astype(np.float32)).warm + 50
