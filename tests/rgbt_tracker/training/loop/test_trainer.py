"""Runs: exact resume, unfreezing, the guard against numbers that are not finite, and what is written."""

from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import load_config
from rgbt_tracker.models.build import build_network
from rgbt_tracker.models.load import load_weights
from rgbt_tracker.training.loop.records import read_table
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.recipe import load_recipe

UNFREEZE = {"backbone": {"unfreeze": [{"from_step": 3, "layers": ["layer3"], "rate": 0.1}]}}


def flat(value, prefix=""):
    """Every tensor and number of a nested checkpoint by its path."""
    if isinstance(value, dict):
        return {k: v for name, part in value.items() for k, v in flat(part, f"{prefix}/{name}").items()}
    if isinstance(value, (list, tuple)):
        return {k: v for i, part in enumerate(value) for k, v in flat(part, f"{prefix}/{i}").items()}
    return {prefix: value}


@pytest.mark.parametrize(("stop", "precision"), [(2, "float32"), (3, "bfloat16"), (4, "float32")])
def test_a_resumed_run_is_the_same_to_the_last_bit(recipe_file, tmp_path, stop, precision):
    recipe = load_recipe(recipe_file(precision=precision, **UNFREEZE))
    Trainer(recipe, tmp_path / "whole").run()
    Trainer(recipe, tmp_path / "parts").run(until=stop)
    second = Trainer(recipe, tmp_path / "parts")
    second.resume()
    assert second.step == stop
    second.run()
    whole, parts = (flat(torch.load(tmp_path / name / "last.pt", weights_only=True)) for name in ("whole", "parts"))
    assert whole.keys() == parts.keys() and len(whole) > 300
    for key, value in whole.items():
        assert torch.equal(value, parts[key]) if isinstance(value, torch.Tensor) else value == parts[key], key


def test_only_what_is_unfrozen_moves(recipe_file, tmp_path):
    recipe = load_recipe(recipe_file(**UNFREEZE))
    trainer = Trainer(recipe, tmp_path / "run")
    before = trainer.weights()
    trainer.run(until=3)
    frozen = trainer.weights()
    assert all(torch.equal(frozen[k], v) for k, v in before.items() if k.startswith("backbone."))
    assert not torch.equal(frozen["rpn_head.rpn2.cls.head.0.weight"], before["rpn_head.rpn2.cls.head.0.weight"])
    trainer.run()
    after = trainer.weights()
    moved = {k for k, v in after.items() if k.startswith("backbone.") and not torch.equal(v, before[k])}
    assert moved and all(k.startswith("backbone.layer3.") and "running" not in k for k in moved)


def test_a_step_that_is_not_finite_changes_nothing(recipe_file, tmp_path):
    trainer = Trainer(load_recipe(recipe_file()), tmp_path / "run")
    batches, _ = trainer.batches()
    trainer.train_step(batches.batch(0))
    before = trainer.weights() | {"live": trainer.network.rpn_head.cls_weight.detach().clone()}
    bad = batches.batch(1)
    trainer.train_step(replace(bad, delta=torch.full_like(bad.delta, torch.nan)))
    after = trainer.weights() | {"live": trainer.network.rpn_head.cls_weight.detach().clone()}
    changed = [k for k, v in before.items() if not torch.equal(v, after[k]) and "num_batches" not in k]
    assert not changed and trainer.skipped == 1 and trainer.step == 2
    with pytest.raises(UserError, match="diverged"):
        for _ in range(10):
            trainer.train_step(replace(bad, delta=torch.full_like(bad.delta, torch.nan)))


def test_loss_falls_on_one_batch(recipe_file, tmp_path):
    trainer = Trainer(load_recipe(recipe_file(steps=40, augment={}, data=None), _plain(recipe_file)), tmp_path / "run")
    batch = trainer.batches()[0].batch(0)
    losses = [float(trainer.train_step(batch).sums.location) for _ in range(25)]
    assert losses[-1] < 0.5 * losses[0]


def _plain(recipe_file):
    sources = [{"crops": str(load_recipe(recipe_file()).data.sources[0].crops)}]
    return {"data": {"sources": sources, "workers": 0, "negatives": 0}, "optimiser.rate": 0.01}


def test_a_run_writes_weights_tables_and_curves(recipe_file, tmp_path):
    recipe = load_recipe(recipe_file(checkpoints={"every": 1000, "keep": 2}))
    Trainer(recipe, tmp_path / "run").run()
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"weights_0000003.pt", "weights_0000006.pt", "last.pt", "log.csv", "curves.png"} <= names
    rows = read_table(tmp_path / "run" / "log.csv")
    assert [int(row["step"]) for row in rows] == [0] and float(rows[0]["loss"]) > 0
    config = load_config(recipe.model)
    load_weights(build_network(config), config, tmp_path / "run" / "weights_0000006.pt")
    assert (
        torch.load(tmp_path / "run" / "weights_0000006.pt")["neck.downsample2.downsample.0.weight"].dtype == torch.half
    )


def test_a_run_that_stops_early_leaves_the_weights_it_stopped_with(recipe_file, tmp_path):
    recipe = load_recipe(recipe_file(checkpoints={"every": 1000, "keep": 2}))
    trainer = Trainer(recipe, tmp_path / "run")
    trainer.run(until=4)
    saved = torch.load(tmp_path / "run" / "weights_0000004.pt", weights_only=True)
    name = "neck.downsample2.downsample.0.weight"
    torch.testing.assert_close(saved[name], trainer.weights()[name].half(), rtol=0, atol=0)


def test_resuming_another_recipe_is_refused(recipe_file, tmp_path):
    Trainer(load_recipe(recipe_file()), tmp_path / "run").run(until=1)
    other = Trainer(load_recipe(recipe_file(seed=6)), tmp_path / "run")
    with pytest.raises(UserError, match="'seed' was 5 and is 6"):
        other.resume()
    with pytest.raises(UserError, match="Nothing to resume"):
        Trainer(load_recipe(recipe_file()), tmp_path / "nothing").resume()


def test_a_run_from_before_a_key_of_the_recipe_existed_goes_on(recipe_file, tmp_path):
    recipe = load_recipe(recipe_file())
    Trainer(recipe, tmp_path / "run").run(until=2)
    state = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    del state["recipe"]["teacher"], state["recipe"]["loss"]["teacher"], state["recipe"]["augment"]["crossing"]
    torch.save(state, tmp_path / "run" / "last.pt")
    log = tmp_path / "run" / "log.csv"
    rows = [{k: v for k, v in row.items() if k != "teacher"} for row in read_table(log)]
    log.write_text("\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n")
    later = Trainer(recipe, tmp_path / "run")
    later.resume()
    assert later.step == 2
    later.run()
    assert [row["teacher"] for row in read_table(log)] == [""] and (tmp_path / "run" / "curves.png").is_file()
    changed = Trainer(load_recipe(recipe_file(loss={"hard": 0.5, "teacher": 0.1})), tmp_path / "run")
    with pytest.raises(UserError, match="'loss' was"):
        changed.resume()


@pytest.mark.parametrize("content", ["step,loss\nsmoke,1\n", "loss\n1\n", "step,other\n0,1\n", "\udcff"])
def test_a_damaged_table_is_named_before_anything_is_trained(recipe_file, tmp_path, content):
    Trainer(load_recipe(recipe_file()), tmp_path / "run").run(until=1)
    saved = (tmp_path / "run" / "last.pt").read_bytes()
    damaged = content.encode("utf-8", "surrogateescape")
    (tmp_path / "run" / "log.csv").write_bytes(damaged)
    trainer = Trainer(load_recipe(recipe_file()), tmp_path / "run")
    trainer.resume()
    with pytest.raises(UserError, match=r"log\.csv' is not a table of this run, or it is damaged; delete it"):
        trainer.run()
    assert (tmp_path / "run" / "log.csv").read_bytes() == damaged and trainer.step == 1
    assert (tmp_path / "run" / "last.pt").read_bytes() == saved


def test_a_layer_that_does_not_exist(recipe_file, tmp_path):
    recipe = load_recipe(recipe_file(backbone={"unfreeze": [{"from_step": 0, "layers": ["layer9"]}]}))
    with pytest.raises(UserError, match="no layer 'layer9'"):
        Trainer(recipe, tmp_path / "run")


def test_command_line(recipe_file, tmp_path):
    from rgbt_tracker.cli.main import build_app

    arguments = ["train", str(recipe_file()), "--output", str(tmp_path / "run"), "--device", "cpu"]
    runner = CliRunner()
    assert runner.invoke(build_app(), [*arguments, "--until", "1"]).exit_code == 0
    result = runner.invoke(build_app(), [*arguments, "--resume", "--until", "2"])
    assert result.exit_code == 0 and "2 of 6 steps done" in result.stdout
    refused = runner.invoke(build_app(), arguments)
    assert isinstance(refused.exception, UserError) and "--resume" in str(refused.exception)
    wrong = runner.invoke(build_app(), [*arguments[:2], "--output", str(tmp_path / "new"), "--set", "seed"])
    assert isinstance(wrong.exception, UserError) and "key=value" in str(wrong.exception)


def test_a_run_without_data_leaves_nothing_behind(recipe_file, tmp_path):
    from rgbt_tracker.cli.main import build_app

    source = f"data.sources=[{{crops: {tmp_path / 'nowhere'}}}]"
    arguments = ["train", str(recipe_file()), "--output", str(tmp_path / "run"), "--device", "cpu", "--set", source]
    result = CliRunner().invoke(build_app(), arguments)
    assert isinstance(result.exception, UserError) and "nowhere" in str(result.exception)
    assert not (tmp_path / "run").exists()
