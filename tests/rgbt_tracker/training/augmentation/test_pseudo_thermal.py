"""Pseudo-thermal views: target and surroundings have a temperature each."""

import numpy as np
import pytest

from rgbt_tracker.training.augmentation import pseudo_thermal


def test_silhouettes_are_warm_or_cold_as_a_whole():
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 255, (96, 96, 3), dtype=np.uint8)
    mask = np.zeros((96, 96), np.uint8)
    mask[20:70, 30:60] = 255
    for seed in range(8):
        view = pseudo_thermal.from_silhouette(np.random.default_rng(seed), texture, mask)
        again = pseudo_thermal.from_silhouette(np.random.default_rng(seed), texture[::-1].copy(), mask)
        inside, outside = view[25:65, 35:55], view[:, 70:]
        assert view.shape == texture.shape and (view[..., 0] == view[..., 2]).all()
        assert abs(inside.mean() - outside.mean()) > 15
        assert inside.mean() == pytest.approx(again[25:65, 35:55].mean(), abs=4)
