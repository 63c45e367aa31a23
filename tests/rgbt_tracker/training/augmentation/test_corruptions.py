"""Corruptions hide the picture, more the stronger they are."""

import numpy as np
import pytest

from rgbt_tracker.training.augmentation.corruptions import CORRUPTIONS


@pytest.mark.parametrize("kind", sorted({kind for kinds in CORRUPTIONS.values() for kind in kinds}, key=str))
def test_corruptions_hide_the_picture(kind):
    # a checkerboard: what is left of its contrast tells how much can still be seen
    tile = np.kron(np.indices((17, 17)).sum(0) % 2, np.ones((15, 15))).astype(np.uint8) * 200 + 20
    image = np.repeat(tile[..., None], 3, -1)
    weak, strong = (kind(np.random.default_rng(3), image, strength) for strength in (0.2, 1.0))
    assert (
        strong.shape == image.shape and strong.dtype == np.uint8 and (image == np.repeat(tile[..., None], 3, -1)).all()
    )

    def contrast(picture):
        return float(picture[tile > 100].mean()) - float(picture[tile < 100].mean())

    assert contrast(strong) <= contrast(weak) + 1 and contrast(strong) < 0.5 * contrast(image)
