"""Segmented objects as training clips, and thermal views with a temperature for the target."""

import cv2
import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.augmentation import copy_paste_objects as objects
from rgbt_tracker.training.augmentation import distractors, pseudo_thermal
from rgbt_tracker.training.data.photos import list_objects, list_photos
from rgbt_tracker.training.data.sources import Sources
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.pictures import read_picture
from rgbt_tracker.training.recipe import load_recipe
from rgbt_tracker.training.views import TargetView

BACK, FRONT = 30, 220


@pytest.fixture
def scene(tmp_path):
    """Bright ellipses before dark photographs, with their masks; and one photograph without an object."""
    photos, masks = tmp_path / "photos", tmp_path / "masks"
    photos.mkdir()
    masks.mkdir()
    for name, (width, height) in {"a": (30, 60), "b": (70, 40), "c": (0, 0)}.items():
        picture, mask = np.full((240, 320, 3), BACK, np.uint8), np.zeros((240, 320), np.uint8)
        if width:
            for image in (picture, mask):
                cv2.ellipse(image, (150, 120), (width // 2, height // 2), 0, 0, 360, (FRONT,) * 3, -1)
            mask = np.where(mask > 0, 255, 0).astype(np.uint8)
        cv2.imwrite(str(photos / f"{name}.png"), picture)
        cv2.imwrite(str(masks / f"{name}.png"), mask)
    return list_photos(photos), masks


def bounds(inside):
    rows, columns = np.nonzero(inside)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_photographs_without_an_object_are_left_out(scene):
    photos, masks = scene
    found = list_objects(photos, masks)
    assert [item.photo.stem for item in found] == ["a", "b"] and all(item.roomy for item in found)
    assert found[0].box == pytest.approx((135, 90, 31, 61), abs=1)
    with pytest.raises(UserError, match=r"two or more objects.*found 1.*rgbt data masks"):
        list_objects(photos[:1], masks)


@pytest.mark.parametrize("seed", range(12))
def test_the_box_bounds_the_object(scene, seed):
    photos, masks = scene
    found = list_objects(photos, masks)
    rng = np.random.default_rng(seed)
    target = found[seed % 2]
    way = objects.in_place if seed < 6 else lambda r, t, c: objects.in_front_of(r, t, [], photos[2], c)
    for view in way(rng, target, read_picture):
        x, y, w, h = view.box
        assert (w + (w + h) / 2) * (h + (w + h) / 2) == pytest.approx(127**2, rel=0.5)
        # the object is the only bright thing, and in the thermal view the only thing of its temperature
        picture = view.images["rgb"][..., 1].astype(float)
        middle = (picture[191, 191] + picture[5, 5]) / 2
        np.testing.assert_allclose(bounds(picture > middle), [x, y, x + w, y + h], atol=2.5)
        thermal = view.images["ir"][..., 0].astype(float)
        assert abs(thermal[185:198, 185:198].mean() - thermal[:20, :20].mean()) > 15
        assert view.mask is not None and view.mask.shape == picture.shape


def test_both_moments_have_the_same_temperatures(scene):
    photos, masks = scene
    target = list_objects(photos, masks)[0]
    for way in (objects.in_place, lambda r, t, c: objects.in_front_of(r, t, [], photos[2], c)):
        first, second = way(np.random.default_rng(4), target, read_picture)
        levels = [view.images["ir"][185:198, 185:198].mean() for view in (first, second)]
        assert levels[0] == pytest.approx(levels[1], abs=4)


def test_others_pass_beside_the_target(scene):
    photos, masks = scene
    target, other = list_objects(photos, masks)
    for seed in range(6):
        alone, _ = objects.in_front_of(np.random.default_rng(seed), target, [], photos[2], read_picture)
        crowd, _ = objects.in_front_of(np.random.default_rng(seed), target, [other, other], photos[2], read_picture)
        bright = [(view.images["rgb"][..., 1] > 125).sum() for view in (alone, crowd)]
        assert bright[1] > 1.2 * bright[0]
        # what the box says does not depend on who passes
        assert crowd.box[2:] == pytest.approx(alone.box[2:], rel=0.35)


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


def test_a_silhouette_replaces_the_distractors_ellipse():
    mask = np.zeros((383, 383), np.uint8)
    mask[150:230, 181:201] = 255
    other = TargetView({"rgb": np.full((383, 383, 3), 200, np.uint8)}, (151.0, 150.0, 80.0, 80.0), mask)
    search = np.zeros((255, 255, 3), np.uint8)
    corners = np.array([100.0, 100.0, 140.0, 140.0])
    drawn = distractors.paste_distractor(np.random.default_rng(1), [search], ["rgb"], corners, other)[0][..., 0] > 100
    left, top, right, bottom = bounds(drawn)
    assert (bottom - top) / (right - left) == pytest.approx(4, rel=0.15)


def test_a_recipe_with_masks(recipe_file, scene, crop_set, tmp_path, monkeypatch):
    """Batches of both kinds of source are the same twice, and the crops' masks are used."""
    photos, masks = scene
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
