"""Luminance out of a colour picture and back into it."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nestfuse_core.fusion.colour import luminance, replace_luminance


def test_luminance_is_opencvs(picture):
    image = picture(1, channels=3)
    np.testing.assert_allclose(luminance(image), cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), atol=0.51)


@given(st.data())
def test_new_luminance_is_met_inside_the_gamut(data):
    white = data.draw(st.sampled_from([255, 1023, 65535]))
    dtype = np.uint8 if white == 255 else np.uint16
    image = data.draw(arrays(dtype, (2, 3, 3), elements=st.integers(0, white)))
    target = data.draw(arrays(np.float32, (2, 3), elements=st.integers(0, white).map(float)))
    result = replace_luminance(image, target, white)
    assert result.dtype == dtype and result.max() <= white
    # Each channel is rounded by at most a half (float32 adds its own rounding at 16 bits).
    np.testing.assert_allclose(luminance(result), target, atol=0.51 + white * 1e-6)


@given(arrays(np.uint8, (3, 3, 3)))
def test_the_same_luminance_gives_the_same_picture(image):
    np.testing.assert_array_equal(replace_luminance(image, luminance(image), 255), image)


@given(arrays(np.uint8, (1, 1, 3)), st.floats(0, 255, width=32))
def test_hue_is_kept(image, target):
    """Differences between channels keep their signs and shrink together: out = target + s (in - Y), 0 <= s <= 1."""
    result = replace_luminance(image, np.full((1, 1), target, np.float32), 255)[0, 0].astype(float)
    before = image[0, 0].astype(float) - luminance(image)[0, 0]
    after = result - target
    extreme = int(np.abs(before).argmax())
    scale = after[extreme] / before[extreme] if before[extreme] else 0.0
    slack = 0.51 * (1 + 1 / max(abs(before[extreme]), 1e-3)) if before[extreme] else 0.51
    np.testing.assert_allclose(after, scale * before, atol=1.1 + slack * 0.1)
    assert -0.51 <= scale * abs(before[extreme]) <= abs(before[extreme]) + 0.51
