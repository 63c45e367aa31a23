"""Square crops against a second formula."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rgbt_tracker.tracking.crop import crop_square


@given(
    st.floats(-40, 200), st.floats(-40, 160), st.integers(8, 90), st.sampled_from([31, 64]), st.integers(0, 2**32 - 1)
)
@settings(max_examples=60, deadline=None)
def test_crop_is_the_padded_image_cut(x: float, y: float, side: int, size: int, seed: int) -> None:
    """Second formula: pad generously with the fill colour, then slice around the rounded corner."""
    image = np.random.default_rng(seed).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    fill = np.array([3.7, 99.2, 200.9])
    pad = 400
    large = np.full((60 + 2 * pad, 80 + 2 * pad, 3), fill.astype(np.uint8), np.uint8)
    large[pad:-pad, pad:-pad] = image
    left, top = (int(np.floor(c - (side + 1) / 2 + 0.5)) + pad for c in (x, y))
    expected = large[top : top + side, left : left + side]
    actual = crop_square(image, (x, y), side, side, fill)
    np.testing.assert_array_equal(actual, expected)
    assert crop_square(image, (x, y), side, size, fill).shape == (size, size, 3)
