"""Pasted shapes: the box bounds what was pasted."""

import cv2
import numpy as np
import pytest

from rgbt_tracker.training.augmentation.copy_paste import paste_shape
from rgbt_tracker.training.data.photos import list_photos
from rgbt_tracker.training.pictures import read_picture


def test_pasted_target_fills_its_box(tmp_path):
    for name, level in (("a", 20), ("b", 235)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((200, 300, 3), level, np.uint8))
    photos = list_photos(tmp_path)
    for seed in range(8):
        for view in paste_shape(np.random.default_rng(seed), photos, read_picture):
            x, y, w, h = view.box
            assert (w + (w + h) / 2) * (h + (w + h) / 2) == pytest.approx(127**2, rel=0.4)
            picture = view.images["rgb"][..., 0].astype(float)
            background = picture[5, 5]
            rows, columns = np.nonzero(np.abs(picture - background) > 60)
            found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            np.testing.assert_allclose(found, [x, y, x + w, y + h], atol=2.5)
