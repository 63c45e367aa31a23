"""Targets of clips before other backgrounds."""

import numpy as np
import pytest

from rgbt_tracker.training.augmentation.background import replace_background
from rgbt_tracker.training.data.sources import Sources
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.recipe import load_recipe
from rgbt_tracker.training.views import TargetView

BOX = (161.0, 147.0, 60.0, 90.0)
INSIDE, OUTSIDE = np.s_[150:234, 164:218], np.s_[:140]


def target_view(level: int, masked: bool = True, side: int = 383, modality: str = "rgb") -> TargetView:
    mask = np.zeros((side, side), np.uint8)
    mask[147:237, 161:221] = 255
    return TargetView({modality: np.full((side, side, 3), level, np.uint8)}, BOX, mask if masked else None)


def scene() -> np.ndarray:
    """Red, getting brighter to the right."""
    image = np.zeros((288, 400, 3), np.uint8)
    image[..., 2] = np.linspace(40, 220, 400)
    return image


@pytest.mark.parametrize("side", [383, 511])
def test_the_target_stays_and_all_else_is_of_the_scene(side) -> None:
    views = replace_background(
        np.random.default_rng(3), (target_view(90, side=side), target_view(120, side=side)), scene()
    )
    for changed, level in zip(views, (90, 120), strict=True):
        image = changed.images["rgb"]
        assert changed.box == BOX and image.shape == (side, side, 3)
        assert np.abs(image[INSIDE].astype(int) - level).max() <= 1
        assert image[OUTSIDE][..., 2].mean() > 30 + image[OUTSIDE][..., 0].mean()
    assert not np.array_equal(views[0].images["rgb"][OUTSIDE], views[1].images["rgb"][OUTSIDE])  # the camera moves


@pytest.mark.parametrize("options", [{"masked": False}, {"modality": "ir"}])
def test_views_without_a_silhouette_or_not_visible_stay(options) -> None:
    before = target_view(90, **options), target_view(120, **options)
    for one, other in zip(before, replace_background(np.random.default_rng(0), before, scene()), strict=True):
        assert one is other


def test_a_recipe_without_photographs_takes_other_crops(recipe_file) -> None:
    recipe = load_recipe(recipe_file(), {"augment.background": 1.0})
    assert Sources(recipe.data).background(np.random.default_rng(0)).shape == (383, 383, 3)


def test_samples_get_another_background(recipe_file, tmp_path, monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(
        "rgbt_tracker.training.data.samples.replace_background", lambda rng, views, scene: seen.append(scene) or views
    )
    for share in (0.0, 1.0):
        recipe = load_recipe(recipe_file(), {"augment.background": share})
        Trainer(recipe, tmp_path / "run").batches()[0].batch(0)
        assert len(seen) == 4 * share
