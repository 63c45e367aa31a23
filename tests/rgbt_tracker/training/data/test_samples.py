"""Samples and batches: shapes, determinism, what both modalities share, what corruptions hide."""

import cv2
import numpy as np
import pytest
import torch

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.augmentation.copy_paste import paste_shape
from rgbt_tracker.training.augmentation.corruptions import CORRUPTIONS
from rgbt_tracker.training.data import clips
from rgbt_tracker.training.data.clips import read_clips
from rgbt_tracker.training.data.photos import list_photos
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.pictures import read_picture
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
    sources = batches_of(load_recipe(recipe_file()), tmp_path)._maker.sources
    sources.preload(2)
    monkeypatch.setattr(clips, "read_picture", lambda _: pytest.fail("read again"))
    for seed in range(20):
        assert sources.pair(np.random.default_rng(seed), negative=False)[0].images


@pytest.mark.parametrize("processes", [False, True])
def test_a_broken_picture_is_named_whoever_reads_it(recipe_file, tmp_path, processes):
    settings = {"data.workers": 2, "data.processes": processes, "data.cache_gb": 0}
    batches = batches_of(load_recipe(recipe_file(), settings), tmp_path)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    for clip in batches._maker.sources.sources[0].clips:
        object.__setattr__(next(iter(clip.instants[0].crops.values())), "file", str(broken))
    with pytest.raises(UserError) as error:
        list(batches(0, 4))
    assert str(error.value).startswith(f"The file '{broken}' is not an image OpenCV can read")


def test_only_what_the_cache_has_room_for_is_read_ahead(recipe_file, tmp_path, monkeypatch):
    sources = batches_of(load_recipe(recipe_file(), {"data.cache_gb": 0.001}), tmp_path)._maker.sources
    seen = []
    monkeypatch.setattr(clips, "read_picture", lambda path: seen.append(path) or read_picture(path))
    sources.preload(1)
    assert 2 < len(seen) < 12 < len(sources.sources[0].files())


def test_ranks_share_the_global_batch(recipe_file, tmp_path):
    trainer = Trainer(load_recipe(recipe_file()), tmp_path / "run")
    batches, _ = trainer.batches()
    whole = batches.batch(1)
    halves = [type(batches)(trainer.recipe, batches._maker, rank, 2).batch(1) for rank in range(2)]
    assert torch.equal(whole.label, torch.cat([half.label for half in halves]))
    assert torch.equal(whole.search, torch.cat([half.search for half in halves], 1))


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


def test_filters_that_leave_nothing(crop_set):
    with pytest.raises(UserError, match="filters"):
        read_clips(Source(crops=crop_set, match=("nothing",)))
    assert [clip.name for clip in read_clips(Source(crops=crop_set, modality="ir", match=("still",)))] == ["still-ir"]


def test_pairs_stay_within_the_gap(crop_set):
    clip = read_clips(Source(crops=crop_set, match=("clip0",)))[0]
    assert [clip.instants[i].frame for i in clip.near(1, 100)] == [1, 11, 61]


def test_one_photograph_is_not_enough(tmp_path):
    with pytest.raises(UserError, match="at least 2 photographs"):
        list_photos(tmp_path, 2)
