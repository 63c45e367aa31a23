"""Batches: functions of the step alone, whoever makes them; pictures are read once."""

import numpy as np
import pytest
import torch

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.data import clips
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.pictures import read_picture
from rgbt_tracker.training.recipe import load_recipe


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
    assert f"'{broken}'" in str(error.value) and "\n" not in str(error.value)


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
