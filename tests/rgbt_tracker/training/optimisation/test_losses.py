"""Losses against PySOT's own functions, restated line by line."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rgbt_tracker.config import AnchorConfig
from rgbt_tracker.training.data.batches import Batch
from rgbt_tracker.training.data.targets import anchor_grid, positive_target
from rgbt_tracker.training.loop.measure import best_box_iou
from rgbt_tracker.training.optimisation.losses import Sums, loss_sums, total
from rgbt_tracker.training.recipe import Loss, Targets

GRID = anchor_grid(AnchorConfig(), 25, 255)


def make_batch(count: int) -> Batch:
    rng = np.random.default_rng(1)
    targets = []
    for _ in range(count):
        cx, cy, w, h = *rng.uniform(90, 160, 2), *rng.uniform(40, 100, 2)
        corners = np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])
        targets.append(positive_target(GRID, corners, Targets(), rng))
    image = torch.zeros(1, count, 3, 3, 3, dtype=torch.uint8)
    label, delta, weight, background = (
        torch.from_numpy(np.stack([getattr(t, name) for t in targets]))
        for name in ("label", "delta", "weight", "background")
    )
    negative = torch.zeros(count, dtype=torch.bool)
    return Batch(image, image, label, delta, weight, background, negative)


def part(batch: Batch, rows: slice) -> Batch:
    stacked = {"template", "search"}
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
