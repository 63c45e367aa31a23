"""The lean encoder and decoder give the network's own numbers."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from nestfuse_core.model import inference
from nestfuse_core.model.network import NestFuse


@pytest.mark.parametrize("size", [(2, 2), (5, 2), (7, 9), (1, 6), (1, 1)])
def test_reflection_at_the_border(size):
    torch.manual_seed(0)
    features, weight, bias = torch.randn(2, 3, *size), torch.randn(4, 3, 3, 3), torch.randn(4)
    padded = F.pad(features, (1, 1, 0, 0), mode="reflect" if size[1] > 1 else "replicate")
    padded = F.pad(padded, (0, 0, 1, 1), mode="reflect" if size[0] > 1 else "replicate")
    torch.testing.assert_close(inference.reflect_conv(features, weight, bias), F.conv2d(padded, weight, bias))


@pytest.mark.parametrize("size", [(6, 8), (7, 8), (6, 9), (7, 9), (2, 3)])
def test_enlarging_within_the_convolution(size):
    torch.manual_seed(0)
    small, weight = torch.randn(1, 3, size[0] // 2, size[1] // 2), torch.randn(4, 3, 3, 3)
    large = F.interpolate(small, scale_factor=2, mode="nearest")
    large = F.pad(large, (0, size[1] % 2, 0, size[0] % 2), mode="reflect")
    expected = F.conv2d(F.pad(large, (1, 1, 1, 1), mode="reflect"), weight)
    torch.testing.assert_close(inference.enlarged_conv(small, weight, size), expected)


@pytest.mark.parametrize("version", ["paper", "released"])
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("size", [(32, 40), (29, 43), (9, 8), (3, 1)])
@torch.inference_mode()
def test_the_whole_network(version, deep, size):
    torch.manual_seed(1)
    network = NestFuse(version, deep).eval()
    # Fresh weights may give a dead output, which would prove nothing.
    getattr(network, network.output_names[-1]).conv2d.weight.abs_()
    images = 255 * torch.rand(2, 1, *size)
    expected = network.encode(images)
    features = inference.encode(network, images)
    for ours, theirs in zip(features, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    output = inference.decode(network, features)
    assert not features and output.max() > 0
    torch.testing.assert_close(output, network.decode(expected), rtol=1e-4, atol=1e-4)
