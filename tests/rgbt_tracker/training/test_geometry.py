"""Windows: pixels and boxes move together."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgbt_tracker.training.geometry import Window, jitter
from rgbt_tracker.training.material import Jitter


def test_window_without_jitter_is_the_centre_of_the_crop():
    image = np.random.default_rng(0).integers(0, 255, (383, 383, 3), dtype=np.uint8)
    window = jitter(np.random.default_rng(0), (160.0, 140.0, 63.0, 103.0), 127, Jitter())
    np.testing.assert_array_equal(window.cut(image), image[128:255, 128:255])
    np.testing.assert_allclose(window.corners((160.0, 140.0, 63.0, 103.0)), [31.5, 11.5, 94.5, 114.5])


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(150, 230), y=st.floats(150, 230), sx=st.floats(0.82, 1.18), sy=st.floats(0.82, 1.18), flip=st.booleans()
)
def test_box_follows_the_picture(x, y, sx, sy, flip):
    image = np.zeros((383, 383), np.uint8)
    cv2.rectangle(image, (150, 170), (199, 229), 255, -1)  # covers edges 150..200, 170..230
    window = Window(x, y, sx, sy, 255, flip)
    rows, columns = np.nonzero(window.cut(image) > 127)
    found = np.array([columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5])
    np.testing.assert_allclose(found, window.corners((150.0, 170.0, 50.0, 60.0)), atol=1.05)


@pytest.mark.parametrize("channels", [1, 3])
def test_outside_the_crop_is_its_mean(channels):
    image = np.full((383, 383, channels), 40, np.uint8).squeeze()
    image[:, 200:] = 200
    cut = Window(380, 191, 1, 1, 127).cut(image)
    expected = image.mean()
    assert np.abs(cut[:, -1].astype(float) - expected).max() <= 1
