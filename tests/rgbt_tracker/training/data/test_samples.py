"""Samples: shapes, what both modalities share, what is corrupted."""

import numpy as np
import pytest
import torch

from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.recipe import load_recipe


def batches_of(recipe, tmp_path):
    return Trainer(recipe, tmp_path / "run").batches()[0]


@pytest.mark.parametrize("paired", [0.0, 1.0])
def test_shapes(recipe_file, tmp_path, paired):
    batch = batches_of(load_recipe(recipe_file(), {"data.paired": paired}), tmp_path).batch(0)
    count = 2 if paired else 1
    assert batch.template.shape == (count, 4, 127, 127, 3) and batch.search.shape == (count, 4, 191, 191, 3)
    assert batch.label.shape == (4, 5, 17, 17) and batch.delta.shape == (4, 4, 5, 17, 17)
    assert batch.search.dtype == torch.uint8


def test_one_modality_is_corrupted_and_the_other_left_alone(recipe_file, tmp_path):
    settings = {"data.paired": 1.0, "data.negatives": 0.0}
    clean, corrupted = (
        batches_of(load_recipe(recipe_file(), settings | {"augment": {"corruption": share}}), tmp_path)
        for share in (0.0, 1.0)
    )
    pairs = [(clean.batch(step).search, corrupted.batch(step).search) for step in range(4)]
    changed = torch.cat([(one != two).flatten(2).any(2) for one, two in pairs], 1)
    assert (changed.sum(0) == 1).all() and changed.any(1).all()


def test_both_modalities_see_the_target_at_the_same_place(recipe_file, tmp_path, crop_set):
    # the test's target is the only thing with sharp edges in both pictures
    settings = {"data.paired": 1.0, "augment": {"flip": 0.5}, "data.negatives": 0.0}
    batch = batches_of(load_recipe(recipe_file(), settings), tmp_path).batch(0)
    green = batch.search[0, :, :, :, 1].float()
    thermal = batch.search[1, :, :, :, 1].float()
    for one, two in zip(green, thermal, strict=True):
        # thermal crops are the green channel, or made from the visible crop by a tone curve
        rank = np.corrcoef(one.flatten(), two.flatten())[0, 1]
        assert abs(rank) > 0.2
