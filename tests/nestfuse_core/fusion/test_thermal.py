"""Thermal pictures of any depth as grey levels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from nestfuse_core.fusion import thermal


def test_dead_and_hot_pixels_do_not_set_the_scale():
    image = np.random.default_rng(0).integers(7000, 8000, (200, 200)).astype(np.uint16)
    image[3, 4], image[5, 6] = 0, 65535
    low, high = thermal.robust_range([image])
    assert 7000 <= low < 7010 and 7990 < high < 8000
    grey = thermal.to_grey_levels(image, (low, high))
    assert grey[3, 4] == 0 and grey[5, 6] == 255 and 120 < grey.mean() < 135


def test_missing_values_are_ignored_and_black():
    image = np.linspace(0, 100, 10000, dtype=np.float32).reshape(100, 100)
    image[0, :3] = np.nan, np.inf, -np.inf
    low, high = thermal.robust_range([image])
    assert np.isfinite([low, high]).all()
    np.testing.assert_array_equal(thermal.to_grey_levels(image, (low, high))[0, :3], [0, 255, 0])


def test_flat_and_empty_pictures():
    assert not thermal.to_grey_levels(np.full((4, 4), 7000, np.uint16), (7000, 7000)).any()
    assert thermal.robust_range([np.full((4, 4), np.nan, np.float32)]) == (0, 0)
    assert thermal.robust_range([]) == (0, 0)


def test_three_channels(picture):
    grey = picture(2)
    triple = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    np.testing.assert_array_equal(thermal.as_grey(triple), grey)
    assert not thermal.is_false_colour(triple)
    # What video compression leaves of chroma in a grey picture does not count.
    noisy = triple.astype(int) + np.random.default_rng(0).integers(-4, 5, triple.shape)
    assert not thermal.is_false_colour(np.clip(noisy, 0, 255).astype(np.uint8))
    palette = cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)
    assert thermal.is_false_colour(palette) and thermal.as_grey(palette).shape == grey.shape


@pytest.mark.parametrize(
    ("text", "expected"), [(None, None), ("1,2", (1, 2)), ("7000,-1", UserError), ("shared", UserError)]
)
def test_ranges_on_the_command_line(text, expected):
    if expected is UserError:
        with pytest.raises(UserError, match=f"LOW,HIGH with LOW < HIGH, such as 7000,9000, got '{text}'"):
            thermal.parse_range(text)
    else:
        assert thermal.parse_range(text) == expected
