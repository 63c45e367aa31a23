"""The moving average against the formula, step by step, and what takes part in it."""

import torch
from torch import nn

from rgbt_tracker.training.optimisation.ema import ExponentialMovingAverage


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)).requires_grad_(False)
        self.head = nn.Linear(3, 2)


def test_the_average_follows_its_formula_and_frozen_layers_do_not_take_part() -> None:
    torch.manual_seed(0)
    net = Net()
    average = ExponentialMovingAverage(net, decay=0.5)
    expected = None
    for step in range(12):
        with torch.no_grad():
            net.head.weight.normal_()
            net.backbone[0].weight.normal_()
        decay = min(0.5, (1 + step) / (10 + step))
        value = net.head.weight.detach().clone()
        expected = value if expected is None else decay * expected + (1 - decay) * value
        average.update()
    applied = average.applied(net.state_dict())
    torch.testing.assert_close(applied["head.weight"], expected)
    assert torch.equal(applied["backbone.0.weight"], net.backbone[0].weight)


def test_a_layer_takes_part_from_when_it_trains() -> None:
    net = Net()
    average = ExponentialMovingAverage(net, decay=0.9)
    average.update()
    net.backbone.requires_grad_(True)
    average.update()
    before = net.backbone[0].weight.detach().clone()
    with torch.no_grad():
        net.backbone[0].weight.add_(1)
    average.update()
    moved = average.applied(net.state_dict())["backbone.0.weight"] - before
    torch.testing.assert_close(moved, torch.full_like(moved, 1 - 3 / 12))


def test_a_decay_of_zero_is_no_average() -> None:
    net = Net()
    average = ExponentialMovingAverage(net, decay=0.0)
    average.update()
    with torch.no_grad():
        net.head.weight.add_(1)
    assert torch.equal(average.applied(net.state_dict())["head.weight"], net.head.weight)
