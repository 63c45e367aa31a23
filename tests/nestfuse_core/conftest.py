"""Networks whose fusion can be predicted, and pictures to fuse."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import settings

from nestfuse_core.model.network import NestFuse

# The same examples every time, however busy the machine is.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

PASSED_ON = (
    "conv0",
    "DB1_0.denseblock.0",
    "DB1_0.denseblock.1",
    "DB1_3.denseblock.0",
    "DB1_3.denseblock.1",
    "conv_out",
)


@pytest.fixture(scope="session")
def plain_network() -> NestFuse:
    """All weights zero but one path of identities: the first channel of the finest scale holds the picture itself.

    Its fusion is that of the grey levels, with the formulas of the paper: (a a + b b) / (a + b) for spatial attention.
    """
    network = NestFuse("paper").eval()
    state = {name: torch.zeros_like(value) for name, value in network.state_dict().items()}
    for layer in PASSED_ON:
        weight = state[f"{layer}.conv2d.weight"]
        weight[0, 0, weight.shape[2] // 2, weight.shape[3] // 2] = 1
    network.load_state_dict(state)
    return network


@pytest.fixture(scope="session")
def random_network() -> NestFuse:
    """Fresh weights, the output brought to the scale of grey levels."""
    torch.manual_seed(3)
    network = NestFuse("paper").eval()
    with torch.no_grad():
        network.conv_out.conv2d.weight.abs_().mul_(300)
    return network


@pytest.fixture(scope="session")
def plain_weights(plain_network, tmp_path_factory):
    """The plain network as a weights file."""
    path = tmp_path_factory.mktemp("weights") / "plain.pt"
    torch.save(plain_network.state_dict(), path)
    return path


@pytest.fixture(scope="session")
def picture():
    """Make a picture: ``picture(seed, height, width, channels)``, HxW or HxWx3 uint8, blurred noise at two scales."""

    def make(seed: int, height: int = 72, width: int = 88, channels: int = 1) -> np.ndarray:
        rng = np.random.default_rng(seed)
        size = (height, width) if channels == 1 else (height, width, channels)
        layers = [cv2.GaussianBlur(rng.standard_normal(size), (0, 0), s) * s for s in (1, 5)]
        return np.clip(120 + 70 * sum(layers), 0, 255).astype(np.uint8)

    return make
