"""Frozen, trained and correlated: the fast ways compute what the plain ones do."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rgbt_tracker.models.backbones.mobilenetv2 import MobileNetV2
from rgbt_tracker.models.heads.correlation import depthwise_correlation
from rgbt_tracker.training.optimisation.fast_layers import FrozenLayer, FrozenLayers, _Depthwise, fuse_batch_norms


@pytest.fixture
def backbone() -> MobileNetV2:
    torch.manual_seed(0)
    net = MobileNetV2((2, 4), 0.25).eval()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean, std=0.3)
            nn.init.uniform_(part.running_var, 0.5, 2)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias)
    return net


def test_frozen_layers_compute_the_same(backbone):
    image = torch.rand(2, 3, 63, 63)
    expected = [level.detach() for level in backbone(image)]
    names = set(backbone.state_dict())
    frozen = FrozenLayers(backbone)
    frozen.freeze(["layer0", "layer1", "layer2"], torch.float32)
    assert isinstance(backbone.layer1, FrozenLayer)
    outputs = backbone(image)
    for found, level in zip(outputs, expected, strict=True):
        torch.testing.assert_close(found, level, atol=1e-4, rtol=1e-4)
    assert not outputs[0].requires_grad and outputs[1].requires_grad
    with frozen.originals():
        assert set(backbone.state_dict()) == names
    frozen.restore()
    assert set(backbone.state_dict()) == names and not isinstance(backbone.layer1, FrozenLayer)
    for found, level in zip(backbone(image), expected, strict=True):
        assert torch.equal(found, level)


def test_layers_that_train_have_the_same_outputs_and_gradients(backbone):
    plain, fast = backbone.double(), copy.deepcopy(backbone).double()
    for name in ("layer2", "layer3", "layer4"):
        fuse_batch_norms(fast.get_submodule(name))
    assert list(fast.state_dict()) == list(plain.state_dict())
    image = torch.rand(2, 3, 63, 63, dtype=torch.float64)
    for net in (plain, fast):
        sum(level.square().sum() for level in net(image)).backward()
    for (name, one), two in zip(plain.named_parameters(), fast.parameters(), strict=True):
        torch.testing.assert_close(two.grad, one.grad, rtol=1e-6, atol=1e-8, msg=name)


@pytest.mark.parametrize("dilation", [1, 2, 4])
def test_depthwise_gradients(dilation):
    torch.manual_seed(0)
    x, weight, bias = torch.randn(2, 3, 9, 8), torch.randn(3, 1, 3, 3), torch.randn(3)
    inputs = [value.double().requires_grad_() for value in (x, weight, bias)]
    expected = F.conv2d(*inputs, padding=dilation, dilation=dilation, groups=3)
    torch.testing.assert_close(_Depthwise.apply(*inputs, dilation), expected)
    grad = torch.randn_like(expected)
    wanted = torch.autograd.grad(expected, inputs, grad)
    found = torch.autograd.grad(_Depthwise.apply(*inputs, dilation), inputs, grad)
    for one, two in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), two, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("padding", [0, 1])
def test_correlation_gradients(padding):
    torch.manual_seed(0)
    search = torch.randn(2, 3, 7, 8, dtype=torch.float64, requires_grad=True)
    kernel = torch.randn(2, 3, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, b: depthwise_correlation(a, b, padding), (search, kernel))
    with torch.no_grad():
        plain = depthwise_correlation(search, kernel, padding)
    torch.testing.assert_close(depthwise_correlation(search, kernel, padding), plain)
