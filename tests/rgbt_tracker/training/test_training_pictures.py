"""Pictures as training takes them."""

import cv2
import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.pictures import read_picture, three_channels


def test_grey_stays_grey_until_channels_are_asked_for(tmp_path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (6, 8), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    read = read_picture(tmp_path / "grey.png")
    assert np.array_equal(read, grey)
    colour = three_channels(read)
    assert colour.shape == (6, 8, 3) and (colour == grey[..., None]).all() and three_channels(colour) is colour


def test_deep_pictures_are_refused(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "deep.png"), np.zeros((6, 8), np.uint16))
    with pytest.raises(UserError, match=r"8 bits a channel.*uint16"):
        read_picture(tmp_path / "deep.png")
