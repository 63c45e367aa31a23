"""Losses against PySOT's and SiamBAN's own functions, restated line by line."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rgbt_tracker.config import AnchorConfig, load_config
from rgbt_tracker.training.data.batches import Batch
from rgbt_tracker.training.data.targets import anchor_grid, make_grid
from rgbt_tracker.training.loop.measure import best_box_iou
from rgbt_tracker.training.optimisation.losses import Sums, loss_sums, total
from rgbt_tracker.training.recipe import Loss, Targets

GRID = anchor_grid(AnchorConfig(), 25, 255)


def make_batch(count: int) -> Batch:
    return drawn_batch(GRID, count, np.random.default_rng(1), (40, 100))


def drawn_batch(grid, count: int, rng: np.random.Generator, sides: tuple[float, float]) -> Batch:
    targets = []
    for _ in range(count):
        cx, cy, w, h = *rng.uniform(90, 160, 2), *rng.uniform(*sides, 2)
        corners = np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])
        targets.append(grid.positive(corners, Targets(), rng))
    return batch_of(targets)


def batch_of(targets) -> Batch:
    count = len(targets)
    image = torch.zeros(1, count, 3, 3, 3, dtype=torch.uint8)
    label, delta, weight, background = (
        torch.from_numpy(np.stack([getattr(t, name) for t in targets]))
        for name in ("label", "delta", "weight", "background")
    )
    negative = torch.zeros(count, dtype=torch.bool)
    sees = torch.ones(1, count, dtype=torch.bool)
    return Batch(image, image, label, delta, weight, background, negative, sees)


def part(batch: Batch, rows: slice) -> Batch:
    stacked = {"template", "search", "sees"}
    return Batch(**{k: v[:, rows] if k in stacked else v[rows] for k, v in vars(batch).items()})


def pysot_loss(cls, loc, batch):
    """select_cross_entropy_loss + 1.2 weight_l1_loss of PySOT's model_builder."""
    b, a2, h, w = cls.shape
    pred = F.log_softmax(cls.view(b, 2, a2 // 2, h, w).permute(0, 2, 3, 4, 1).contiguous(), dim=4).view(-1, 2)
    label = batch.label.long().view(-1)
    pos, neg = label.eq(1).nonzero().squeeze(), label.eq(0).nonzero().squeeze()
    cls_loss = 0.5 * F.nll_loss(pred[pos], label[pos]) + 0.5 * F.nll_loss(pred[neg], label[neg])
    diff = (loc.view(b, 4, -1, h, w) - batch.delta).abs().sum(dim=1).view(b, -1, h, w)
    return cls_loss + 1.2 * (diff * batch.weight).sum().div(b)


def test_loss_is_pysot_s():
    torch.manual_seed(0)
    batch, cls, loc = make_batch(3), torch.randn(3, 10, 25, 25), torch.randn(3, 20, 25, 25)
    sums = loss_sums(cls, loc, batch, Loss(), Targets())
    torch.testing.assert_close(total(sums, sums.counts(), Loss()), pysot_loss(cls, loc, batch))


def test_shares_add_up_to_the_global_batch():
    torch.manual_seed(0)
    batch, cls, loc = make_batch(4), torch.randn(4, 10, 25, 25), torch.randn(4, 20, 25, 25)
    whole = loss_sums(cls, loc, batch, Loss(), Targets())
    halves = [slice(0, 1), slice(1, 4)]
    shares = [loss_sums(cls[rows], loc[rows], part(batch, rows), Loss(), Targets()) for rows in halves]
    counts = shares[0].counts() + shares[1].counts()
    mean = (total(shares[0], counts, Loss(), 2) + total(shares[1], counts, Loss(), 2)) / 2
    torch.testing.assert_close(mean, total(whole, whole.counts(), Loss()))


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_hard_negatives_are_the_highest_scoring_background(share):
    torch.manual_seed(0)
    batch, cls, loc = make_batch(2), torch.randn(2, 10, 25, 25), torch.randn(2, 20, 25, 25)
    logp = cls.unflatten(1, (2, -1)).log_softmax(1)
    sums = loss_sums(cls, loc, batch, Loss(hard=share), Targets())
    hard = round(48 * share)
    floor = sum(
        -logp[i, 0].flatten()[logp[i, 1].masked_fill(~batch.background[i], -9e9).flatten().topk(hard).indices].sum()
        for i in range(2)
    )
    if share == 1:
        torch.testing.assert_close(sums.negative, floor)
        assert sums.negatives == 96
    else:
        assert sums.negative > floor and 80 <= sums.negatives <= 96


def test_empty_batch_has_no_loss():
    batch = make_batch(2)
    empty = Batch(
        **(vars(batch) | {"label": torch.full_like(batch.label, -1), "weight": torch.zeros_like(batch.weight)})
    )
    sums = loss_sums(torch.randn(2, 10, 25, 25), torch.randn(2, 20, 25, 25), empty, Loss(), Targets())
    assert isinstance(sums, Sums) and total(sums, sums.counts(), Loss()) == 0


def test_perfect_answer_has_iou_one():
    batch = make_batch(3)
    cls = torch.cat([torch.zeros(3, 5, 25, 25), torch.randn(3, 5, 25, 25)], 1)
    loc = batch.delta.flatten(1, 2)
    assert best_box_iou(cls, loc, batch, GRID) == pytest.approx(1)
    shifted = loc.clone()
    shifted[:, 10:15] += np.log(2.0)  # twice as wide: IoU a half
    assert best_box_iou(cls, shifted, batch, GRID) == pytest.approx(0.5)


def point_batch(count: int) -> Batch:
    grid = make_grid(load_config("nestfuse_nanotrack"), 15)
    return drawn_batch(grid, count, np.random.default_rng(2), (60, 120))


def test_the_loss_of_points_is_siamban_s():
    """select_cross_entropy_loss + select_iou_loss (linear) of SiamBAN, point after point."""
    torch.manual_seed(0)
    batch, cls, loc = point_batch(3), torch.randn(3, 2, 15, 15), torch.rand(3, 4, 15, 15) * 50 + 1
    nll, gaps = {0: [], 1: []}, []
    for pair, row, column in itertools.product(range(3), range(15), range(15)):
        label = int(batch.label[pair, 0, row, column])
        if label < 0:
            continue
        background, target = np.exp(cls[pair, :, row, column].double().numpy())
        nll[label].append(-np.log((target if label else background) / (background + target)))
        if label:
            left, top, right, bottom = loc[pair, :, row, column].double().numpy()
            truth = batch.delta[pair, :, 0, row, column].double().numpy()
            width, height = min(left, truth[0]) + min(right, truth[2]), min(top, truth[1]) + min(bottom, truth[3])
            areas = (left + right) * (top + bottom) + (truth[0] + truth[2]) * (truth[1] + truth[3])
            gaps.append(1 - width * height / (areas - width * height))
    expected = 0.5 * np.mean(nll[0]) + 0.5 * np.mean(nll[1]) + 1.5 * np.mean(gaps)
    options = Loss(location=1.5)
    sums = loss_sums(cls, loc, batch, options, Targets(), points=True)
    assert float(total(sums, sums.counts(), options)) == pytest.approx(expected, rel=1e-4)
    assert sums.located == len(gaps) > 3


def test_points_that_are_right_have_iou_one():
    batch = point_batch(3)
    cls = torch.randn(3, 2, 15, 15)
    cls[:, 1] += 20 * (batch.label[:, 0] == 1)
    loc = batch.delta[:, :, 0].clone()
    assert best_box_iou(cls, loc, batch, make_grid(load_config("nestfuse_nanotrack"), 15)) == pytest.approx(1)
    loc[:, 2] += loc[:, 0] + loc[:, 2]  # twice as wide
    assert best_box_iou(cls, loc, batch, make_grid(load_config("nestfuse_nanotrack"), 15)) == pytest.approx(0.5)


def test_a_corrupted_camera_by_itself_learns_only_where_the_target_is_not():
    batch = replace(point_batch(2), sees=torch.tensor([[True, False], [True, True]]))
    assert batch.answers(1) is batch
    answers = batch.answers(3)
    torch.manual_seed(0)
    cls, loc = torch.randn(6, 2, 15, 15), torch.rand(6, 4, 15, 15) * 50 + 1
    parts = [
        loss_sums(cls[i : i + 1], loc[i : i + 1], part(batch, slice(i % 2, i % 2 + 1)), Loss(), Targets(), points=True)
        for i in range(6)
    ]
    whole = loss_sums(cls, loc, answers, Loss(), Targets(), points=True)
    seeing = [one for i, one in enumerate(parts) if i != 1]
    torch.testing.assert_close(whole.positive, sum(one.positive for one in seeing))
    torch.testing.assert_close(whole.location, sum(one.location for one in seeing))
    torch.testing.assert_close(whole.negative, sum(one.negative for one in parts))
    assert whole.positives == sum(one.positives for one in seeing) < sum(one.positives for one in parts)
