"""Sources: crops and photographs with masks, as one recipe names them."""

import cv2
import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.augmentation import pseudo_thermal
from rgbt_tracker.training.data.sources import Sources
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.recipe import load_recipe


def test_a_recipe_with_masks(recipe_file, segmented, crop_set, tmp_path, monkeypatch):
    """Batches of both kinds of source are the same twice, and the crops' masks are used."""
    photos, masks = segmented
    shapes = tmp_path / "crop-masks" / "rgb"
    shapes.mkdir(parents=True)
    for path in (crop_set / "rgb").glob("*.png"):
        mask = np.zeros((383, 383), np.uint8)
        mask[140:243, 160:223] = 255
        cv2.imwrite(str(shapes / path.name), mask)
    sources = [
        {"crops": str(crop_set), "masks": str(shapes.parent), "modality": "rgb"},
        {"photos": str(photos[0].parent), "masks": str(masks)},
    ]
    data = {"sources": sources, "paired": 1.0, "workers": 0, "negatives": 0.25}
    recipe = load_recipe(recipe_file(data=data))
    used = []
    real = pseudo_thermal.from_silhouette
    monkeypatch.setattr("rgbt_tracker.training.data.samples.from_silhouette", lambda *a: used.append(1) or real(*a))
    batches = [Trainer(recipe, tmp_path / "run").batches()[0] for _ in range(2)]
    for step in range(3):
        one, two = (values.batch(step) for values in batches)
        assert (one.search == two.search).all() and one.search.shape[0] == 2
    assert used
    data["sources"][0]["masks"] = str(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"No mask of a crop of .* in '.*nowhere'.*rgbt data masks"):
        Sources(load_recipe(recipe_file(data=data)).data)
    drawn = Sources(recipe.data).sources[0].one(np.random.default_rng(0))
    assert drawn.mask is not None and drawn.mask[190, 190] == 255
