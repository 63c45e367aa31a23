"""Samples and batches: shapes, determinism, what both modalities share, how degradation is recorded."""

import cv2
import numpy as np
import pytest
import torch

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.augmentation import copy_paste as pasted
from rgbt_tracker.training.augmentation import corruptions as degradation
from rgbt_tracker.training.data import clips
from rgbt_tracker.training.data.clips import ImageCache, read_clips
from rgbt_tracker.training.loop import Trainer
from rgbt_tracker.training.recipe import Source, load_recipe


def batches_of(recipe, tmp_path):
    return Trainer(recipe, tmp_path / "run").batches()[0]


def same(one, two) -> bool:
    return all(torch.equal(a, b) for a, b in zip(vars(one).values(), vars(two).values(), strict=True))


@pytest.mark.parametrize("processes", [False, True])
def test_batches_depend_on_the_step_alone(recipe_file, tmp_path, processes):
    recipe = load_recipe(recipe_file())
    batches = batches_of(recipe, tmp_path)
    shared = batches_of(load_recipe(recipe_file(), {"data.workers": 3, "data.processes": processes}), tmp_path)
    for step, batch in zip(range(2, 6), shared(2, 6), strict=True):
        assert same(batch, batches.batch(step))
    assert not same(batches.batch(2), batches.batch(3))


def test_processes_find_every_picture_read(recipe_file, tmp_path, monkeypatch):
    pool = batches_of(load_recipe(recipe_file()), tmp_path)._maker.pool
    pool.preload(2)
    monkeypatch.setattr(clips, "read_image", lambda *_: pytest.fail("read again"))
    for seed in range(20):
        assert pool.pair(np.random.default_rng(seed), negative=False)[0].images


@pytest.mark.parametrize("processes", [False, True])
def test_a_broken_picture_is_named_whoever_reads_it(recipe_file, tmp_path, processes):
    settings = {"data.workers": 2, "data.processes": processes, "data.cache_gb": 0}
    batches = batches_of(load_recipe(recipe_file(), settings), tmp_path)
    for clip in batches._maker.pool.sources[0].clips:
        object.__setattr__(clip.moments[0].crops["rgb" if "rgb" in clip.moments[0].crops else "ir"], "file", tmp_path)
    with pytest.raises(UserError) as error:
        list(batches(0, 4))
    assert str(error.value) == f"Cannot read the crop '{tmp_path}': Is a directory; check the path."


def test_only_what_the_cache_has_room_for_is_read_ahead(recipe_file, tmp_path, monkeypatch):
    pool = batches_of(load_recipe(recipe_file(), {"data.cache_gb": 0.001}), tmp_path)._maker.pool
    seen, read_image = [], clips.read_image
    monkeypatch.setattr(clips, "read_image", lambda *given: seen.append(given) or read_image(*given))
    pool.preload(1)
    assert 2 < len(seen) < 12 < len(pool.sources[0].files())


def test_ranks_share_the_global_batch(recipe_file, tmp_path):
    trainer = Trainer(load_recipe(recipe_file()), tmp_path / "run")
    batches, _ = trainer.batches()
    whole = batches.batch(1)
    halves = [type(batches)(trainer.recipe, batches._maker, rank, 2).batch(1) for rank in range(2)]
    assert torch.equal(whole.label, torch.cat([half.label for half in halves]))
    assert torch.equal(whole.search, torch.cat([half.search for half in halves], 1))


def test_a_distant_pair_has_no_fine_detail_in_any_view(recipe_file, tmp_path):
    settings = {"data.paired": 1.0, "data.negatives": 0.0, "augment": {"colour": 0, "search": {"shift": 64}}}
    near = batches_of(load_recipe(recipe_file(), settings), tmp_path).batch(0)
    settings["augment"] = {**settings["augment"], "distant": 1.0}
    far = batches_of(load_recipe(recipe_file(), settings), tmp_path).batch(0)
    for name in ("template", "search"):
        detail = [getattr(b, name).float().diff(dim=2).abs().mean((2, 3, 4)) for b in (near, far)]
        assert (detail[1] < 0.95 * detail[0]).all()
    assert torch.equal(near.delta, far.delta)


def test_both_cameras_may_see_badly_but_one_of_them_sees_something(recipe_file, tmp_path):
    settings = {"data.paired": 1.0, "augment": {"degrade": 1.0, "both": 1.0}, "data.negatives": 0.0}
    batches = batches_of(load_recipe(recipe_file(), settings), tmp_path)
    stacked = [batches.batch(step) for step in range(6)]
    weaker = torch.cat([batch.degraded.min(0).values for batch in stacked])
    assert (weaker > 0).all() and weaker.max() <= degradation.WEAK[1]
    variety = torch.cat([batch.search.float().flatten(2).std(-1).max(0).values for batch in stacked])
    assert (variety > 0).all()


@pytest.mark.parametrize("paired", [0.0, 1.0])
def test_shapes(recipe_file, tmp_path, paired):
    batch = batches_of(load_recipe(recipe_file(), {"data.paired": paired}), tmp_path).batch(0)
    count = 2 if paired else 1
    assert batch.template.shape == (count, 4, 127, 127, 3) and batch.search.shape == (count, 4, 191, 191, 3)
    assert batch.label.shape == (4, 5, 17, 17) and batch.delta.shape == (4, 4, 5, 17, 17)
    assert batch.degraded.shape == (count, 4) and batch.search.dtype == torch.uint8


def test_degradation_is_recorded_for_one_modality(recipe_file, tmp_path):
    settings = {"data.paired": 1.0, "augment": {"degrade": 1.0}, "data.negatives": 0.0}
    batches = batches_of(load_recipe(recipe_file(), settings), tmp_path)
    strength = torch.cat([batches.batch(step).degraded for step in range(4)], 1)
    assert ((strength > 0).sum(0) == 1).all() and (strength.sum(1) > 0).all()


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


@pytest.mark.parametrize(
    "kind", sorted({kind for kinds in degradation.BY_MODALITY.values() for kind in kinds}, key=str)
)
def test_degradations_hide_the_picture(kind):
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


def test_pasted_target_fills_its_box(tmp_path):
    for name, level in (("a", 20), ("b", 235)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((200, 300, 3), level, np.uint8))
    cache, photos = ImageCache(0.1), pasted.list_photos(tmp_path)
    for seed in range(8):
        for view in pasted.paste(np.random.default_rng(seed), photos, cache):
            x, y, w, h = view.box
            assert (w + (w + h) / 2) * (h + (w + h) / 2) == pytest.approx(127**2, rel=0.4)
            picture = view.images["rgb"][..., 0].astype(float)
            background = picture[5, 5]
            rows, columns = np.nonzero(np.abs(picture - background) > 60)
            found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            np.testing.assert_allclose(found, [x, y, x + w, y + h], atol=2.5)


def test_filters_that_leave_nothing(crop_set):
    with pytest.raises(UserError, match="filters"):
        read_clips(Source(crops=crop_set, match=("nothing",)))
    assert [clip.name for clip in read_clips(Source(crops=crop_set, modality="ir", kind="still"))] == ["still-ir"]


def test_pairs_stay_within_the_gap(crop_set):
    clip = read_clips(Source(crops=crop_set, match=("clip0",)))[0]
    assert [clip.moments[i].frame for i in clip.near(1, 100)] == [1, 11, 61]


def test_one_photograph_is_not_enough(tmp_path):
    with pytest.raises(UserError, match="two or more photographs"):
        pasted.list_photos(tmp_path)
