"""Runs of an anchor-free tracker: each camera's answer is trained, statistics stay, and a run goes on exactly."""

import pytest
import torch

from nestfuse_core.common.checkpoints import save_checkpoint
from rgbt_tracker.config import load_config
from rgbt_tracker.models.build import build_network
from rgbt_tracker.models.load import load_weights
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.recipe import load_recipe

LAYERS = ["features.8", "features.9"]
CHANGES = {
    "model": "nanotrack_v3",
    "answers": "each",
    "statistics": "fixed",
    "steps": 3,
    "batch": 2,
    "backbone": {"unfreeze": [{"from_step": 1, "layers": LAYERS, "rate": 0.2}]},
}


@pytest.fixture
def recipe(recipe_file, tmp_path):
    """NanoTrack from random weights in a file, which are its teacher's, too."""
    torch.manual_seed(0)
    network = build_network(load_config("nanotrack_v3"))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
    torch.nn.init.constant_(network.ban_head.bbox_pred[0].bias, 4.0)  # boxes of some 100 px
    save_checkpoint(tmp_path / "start.pt", {k: v for k, v in network.state_dict().items() if "num_batches" not in k})
    start = str(tmp_path / "start.pt")
    return load_recipe(
        recipe_file(**CHANGES, start=start, teacher={"model": "nanotrack_v3", "weights": start}),
        {"loss.teacher": 4, "data.paired": 1.0, "data.negatives": 0.5},
    )


def test_a_resumed_run_is_the_same_to_the_last_bit_and_keeps_its_statistics(recipe, tmp_path):
    start = Trainer(recipe, tmp_path / "start").weights()
    Trainer(recipe, tmp_path / "whole").run()
    Trainer(recipe, tmp_path / "parts").run(until=2)
    second = Trainer(recipe, tmp_path / "parts")
    second.resume()
    second.run()
    whole, parts = (torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("whole", "parts"))
    moved = set()
    for key, value in whole["state_dict"].items():
        assert torch.equal(value, parts["state_dict"][key]), key
        if not torch.equal(value, start[key]):
            moved.add(key)
    for key, value in whole["ema"]["values"].items():
        assert torch.equal(value, parts["ema"]["values"][key]), key
    assert not any("running" in key or "num_batches" in key for key in moved)
    backbone = {".".join(key.split(".")[1:3]) for key in moved if key.startswith("backbone.")}
    assert backbone == set(LAYERS) and any(key.startswith("ban_head.") for key in moved)
    config = load_config(recipe.model)
    load_weights(build_network(config), config, tmp_path / "whole" / "weights_0000003.pt")


def test_the_answers_are_those_of_each_camera_alone_and_of_the_fused_features(recipe, tmp_path):
    trainer = Trainer(recipe, tmp_path / "run")
    batches, _ = trainer.batches()
    batch = next(b for step in range(20) if not (b := batches.batch(step)).negative.all())
    images = [stack.permute(0, 1, 4, 2, 3).float() for stack in (batch.template, batch.search)]
    with torch.no_grad():
        cls, loc = (value.unflatten(0, (3, 2)) for value in trainer._loss._answers(*images))
        config = load_config("nanotrack_v3")
        for row, modality in enumerate(("rgb", "ir", "rgbt")):
            network = build_network(config.replace(modality=modality)).eval()
            network.load_state_dict(trainer.network.state_dict())
            chosen = [stack if row == 2 else stack[row : row + 1] for stack in images]
            output = network(*chosen)
            torch.testing.assert_close(cls[row], output.cls, rtol=1e-3, atol=1e-4)
            torch.testing.assert_close(loc[row], output.loc, rtol=1e-3, atol=1e-4)


def test_a_pair_of_two_targets_moves_no_box_and_lowers_the_response(recipe, tmp_path):
    data = recipe.data.model_copy(update={"negatives": 1.0})
    changed = recipe.model_copy(update={"teacher": None, "steps": 40, "data": data})
    trainer = Trainer(changed, tmp_path / "run")
    batch = trainer.batches()[0].batch(0)
    reports = [trainer.train_step(batch) for _ in range(8)]
    assert all(report.sums.located == 0 and report.sums.location == 0 for report in reports)
    assert float(reports[-1].sums.negative) < 0.7 * float(reports[0].sums.negative)


def test_the_loss_falls_on_one_batch(recipe, tmp_path):
    data = recipe.data.model_copy(update={"negatives": 0.0})
    trainer = Trainer(recipe.model_copy(update={"teacher": None, "steps": 60, "data": data}), tmp_path / "run")
    batch = trainer.batches()[0].batch(0)
    reports = [trainer.train_step(batch) for _ in range(14)]
    gaps = [float(report.sums.location / report.sums.located) for report in reports]
    assert gaps[-1] < 0.8 * gaps[0]
