"""Distillation: the teacher's answer at the student's positions, when it counts, and what it adds to the loss."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from nestfuse_core.common.checkpoints import save_checkpoint
from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import overlap
from rgbt_tracker.config import load_config
from rgbt_tracker.models.build import build_network
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.optimisation.losses import loss_sums, total
from rgbt_tracker.training.optimisation.teacher import SoftTargets, Teacher, box_gap, divergence
from rgbt_tracker.training.recipe import Loss, Targets, TeacherModel, load_recipe

CPU = torch.device("cpu")


@pytest.fixture
def nano(tmp_path):
    """Random NanoTrack weights in a file."""
    torch.manual_seed(0)
    network = build_network(load_config("nestfuse_nanotrack").replace(modality="rgb"))
    save_checkpoint(tmp_path / "nano.pt", {k: v for k, v in network.state_dict().items() if "num_batches" not in k})
    return str(tmp_path / "nano.pt")


@pytest.fixture
def taught(recipe_file, tmp_path, nano):
    """The tiny recipe with that teacher, and the search regions that it needs."""
    file = recipe_file(teacher={"model": "nestfuse_nanotrack", "weights": nano})
    model = tmp_path / "tiny.yaml"
    content = yaml.safe_load(model.read_text()) | {"tracking": {"instance": 255}}
    content["model"]["backbone"]["levels"] = [3, 5]
    model.write_text(yaml.safe_dump(content))
    return load_recipe(file)


def answering(odds, centers, sizes):
    """A network whose best box has these centres (px from the middle) and sizes, and 15x15 log-odds."""
    places = (torch.arange(15.0) - 7) * 16
    best = odds.flatten(1).argmax(1)
    x, y = places[best % 15], places[best // 15]
    low, high = centers - sizes / 2, centers + sizes / 2
    edges = torch.stack([x - low[:, 0], y - low[:, 1], high[:, 0] - x, high[:, 1] - y], 1)
    output = SimpleNamespace(cls=torch.stack([-odds, odds], 1) / 2, loc=edges[..., None, None].expand(-1, -1, 15, 15))
    return lambda template, search: output


def truth_of(batch, grid):
    """(N, 4) cx, cy, w, h relative to the middle, from the first anchor's delta."""
    delta, size = batch.delta[:, :, 0, 0, 0].double(), torch.from_numpy(grid.sizes[:, 0])
    centre = delta[:, :2] * size + torch.from_numpy(grid.centers[:, 0, 0, 0]) - 127
    return torch.cat([centre, delta[:, 2:].exp() * size], 1).float()


def test_student_positions_that_are_the_teachers_get_its_answer(taught, tmp_path):
    trainer = Trainer(taught, tmp_path / "run")
    batch = trainer.batches()[0].batch(0)
    soft = trainer.teacher(batch)
    assert batch.search.shape[0] == 1 and soft.response.shape == batch.label[:, 0].shape
    torch.testing.assert_close(soft.response.sum((1, 2)), torch.ones(4))
    # stride 8 against 16: every second of the student's positions is one of the teacher's, the outermost ring aside
    network = trainer.teacher._network
    with torch.no_grad():
        images = [stack.permute(0, 1, 4, 2, 3).float() for stack in (batch.template, batch.search)]
        cls = network(*images).cls
    odds = (cls[:, 1] - cls[:, 0])[:, 1:-1, 1:-1]
    answer = soft.response[:, ::2, ::2].log()
    torch.testing.assert_close(answer - answer.amax((1, 2), True), odds - odds.amax((1, 2), True), atol=1e-4, rtol=1e-4)
    between = (odds[:, :, :-1] + odds[:, :, 1:]) / 2
    halfway = soft.response[:, ::2, 1::2].log()
    torch.testing.assert_close(halfway - answer[:, :, :-1], between - odds[:, :, :-1], atol=1e-4, rtol=1e-4)


def test_it_counts_where_the_target_is_found_in_each_camera_and_for_both_in_one(taught, tmp_path):
    trainer = Trainer(taught.model_copy(update={"seed": 3}), tmp_path / "run")
    batches, grid = trainer.batches()
    batch = next(b for step in range(20) if len((b := batches.batch(step)).search) == 2 and b.negative.sum() == 1)
    truth = truth_of(batch, grid)
    odds = torch.randn(2, 4, 15, 15, generator=torch.manual_seed(1))
    wrong = truth[:, :2] + 2 * truth[:, 2:]
    centers = torch.stack([torch.where(torch.arange(4)[:, None] < 2, truth[:, :2], wrong), truth[:, :2]])
    sizes = torch.stack([truth[:, 2:], truth[:, 2:] * 1.2])  # IoU 1 in the first camera, 0.69 in the second
    trainer.teacher._network = answering(odds.flatten(0, 1), centers.flatten(0, 1), sizes.flatten(0, 1))
    soft = trainer.teacher(batch)
    found = torch.cat([torch.arange(4) < 2, torch.ones(8, dtype=torch.bool)])
    assert torch.equal(soft.valid, found & ~batch.negative.repeat(3))
    both = soft.last(4)
    answers = torch.cat([odds.flatten(0, 1), odds[torch.tensor([0, 0, 1, 1]), torch.arange(4)]])
    for row, answer in enumerate(answers):
        assert int(soft.response[row, ::2, ::2].argmax()) == int(answer[1:-1, 1:-1].argmax())
    # the box of every position lies from it as the best one's does, in the camera that is followed
    best = answers[-4:].flatten(1).argmax(1)
    places = torch.stack([best % 15 - 7, best // 15 - 7], 1) * 16
    expected = torch.stack([*centers[0, :2], *centers[1, 2:]]) - places, torch.stack([*sizes[0, :2], *sizes[1, 2:]])
    torch.testing.assert_close(both.boxes[:, :, 3, 7], torch.cat(expected, 1), rtol=1e-4, atol=1e-3)
    trainer.teacher._network = answering(odds.flatten(0, 1), wrong.repeat(2, 1), sizes.flatten(0, 1))
    assert not trainer.teacher(batch).valid.any()


def test_divergence_is_kullback_and_leiblers():
    torch.manual_seed(0)
    cls = torch.randn(2, 10, 5, 5, dtype=torch.float64)
    p = torch.rand(2, 5, 5, dtype=torch.float64)
    p /= p.sum((1, 2), keepdim=True)
    odds = (cls[:, 5:] - cls[:, :5]).exp().sum(1)
    q = odds / odds.sum((1, 2), keepdim=True)
    expected = (p * (p / q).log()).sum((1, 2))
    counts, boxes = torch.ones(2, dtype=torch.bool), torch.zeros(2, 4, 5, 5)
    torch.testing.assert_close(divergence(cls, SoftTargets(p, boxes, counts)).double(), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        divergence(cls, SoftTargets(q.float(), boxes, counts)), torch.zeros(2), atol=1e-5, rtol=0
    )


def test_boxes_are_compared_where_the_teacher_responds():
    torch.manual_seed(0)
    mine, others = (torch.cat([torch.randn(2, 2, 5, 5), torch.rand(2, 2, 5, 5) * 5 + 3], 1) for _ in range(2))
    response = torch.rand(2, 5, 5)
    response /= response.sum((1, 2), keepdim=True)
    expected = torch.zeros(2)
    for pair, row, column in itertools.product(range(2), range(5), range(5)):
        a, b = (
            [float(box[pair, 0, row, column] - box[pair, 2, row, column] / 2)]
            + [float(box[pair, 1, row, column] - box[pair, 3, row, column] / 2)]
            + [float(box[pair, k, row, column]) for k in (2, 3)]
            for box in (mine, others)
        )
        expected[pair] += response[pair, row, column] * (1 - float(overlap(np.array([a]), np.array(b))[0]))
    soft = SoftTargets(response, others, torch.ones(2, dtype=torch.bool))
    torch.testing.assert_close(box_gap(mine, soft), expected, rtol=1e-4, atol=1e-5)


def test_the_loss_takes_the_mean_over_valid_pairs(taught, tmp_path):
    batch = Trainer(taught, tmp_path / "run").batches()[0].batch(0)
    torch.manual_seed(0)
    cls, loc = torch.randn(4, 10, 25, 25), torch.randn(4, 20, 25, 25)
    response = torch.rand(4, 25, 25).flatten(1).softmax(1).view(4, 25, 25)
    counts = torch.tensor([True, False, True, False])
    soft, options = SoftTargets(response, torch.zeros(4, 4, 25, 25), counts), Loss(teacher=0.7)
    without = loss_sums(cls, loc, batch, options, Targets())
    sums = loss_sums(cls, loc, batch, options, Targets(), soft)
    added = total(sums, sums.counts(), options) - total(without, without.counts(), options)
    torch.testing.assert_close(added, 0.7 * divergence(cls, soft)[counts].mean(), rtol=1e-4, atol=1e-5)


def test_a_taught_run_resumes_to_the_last_bit_and_goes_towards_the_teacher(taught, tmp_path):
    Trainer(taught, tmp_path / "whole").run(until=4)
    Trainer(taught, tmp_path / "parts").run(until=2)
    second = Trainer(taught, tmp_path / "parts")
    second.resume()
    second.run(until=4)
    whole, parts = (torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("whole", "parts"))
    assert all(torch.equal(value, parts["state_dict"][key]) for key, value in whole["state_dict"].items())
    assert not any("teacher" in key for key in whole["state_dict"])
    trainer = Trainer(taught.model_copy(update={"loss": Loss(teacher=5.0), "steps": 100}), tmp_path / "long")
    batch = trainer.batches()[0].batch(0)
    soft = trainer.teacher(batch)._replace(valid=~batch.negative)
    trainer.teacher = lambda _: soft
    gaps = [float((r := trainer.train_step(batch).sums).distillation / r.distilled) for _ in range(30)]
    assert gaps[-1] < 0.7 * gaps[0]


def test_teachers_that_cannot_teach(recipe_file, tmp_path, nano):
    student = load_config("nestfuse_siamrpn_mobilev2_official")
    with pytest.raises(UserError, match=r"tracking\.instance 255, the recipe's model 191"):
        Trainer(load_recipe(recipe_file(teacher={"model": "nestfuse_nanotrack", "weights": nano})), tmp_path / "run")
    with pytest.raises(UserError, match="do not fit the configuration"):
        Teacher(TeacherModel(model="nestfuse_siamrpn_mobilev2_official", weights=nano), student, CPU)
    model = tmp_path / "nameless.yaml"
    model.write_text((tmp_path / "tiny.yaml").read_text().replace("instance: 191", "instance: 255"))
    with pytest.raises(UserError, match=r"'tiny' names no weights; give .* teacher.weights"):
        Teacher(TeacherModel(model=str(model)), student, CPU)
    with pytest.raises(UserError, match=r"No .*nobody"):
        Teacher(TeacherModel(model="nobody"), student, CPU)
