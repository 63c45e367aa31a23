"""The ImageNet start: mapped weights compute what the original network computes."""

import pytest
import torch
import torch.nn.functional as F

from nestfuse_core.errors import UserError
from rgbt_tracker.models.backbones.mobilenetv2 import MobileNetV2
from rgbt_tracker.training.imagenet import MEAN, STD, mobilenetv2_state

CHANNELS = (16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320)


def published_state() -> dict[str, torch.Tensor]:
    """Random weights under the keys of tonylins/pytorch-mobilenet-v2."""
    torch.manual_seed(0)
    state: dict[str, torch.Tensor] = {}

    def conv(key, outputs, inputs, side):
        state[f"{key}.weight"] = torch.randn(outputs, inputs, side, side) / (inputs * side * side) ** 0.5

    def norm(key, channels):
        state[f"{key}.weight"], state[f"{key}.bias"] = torch.rand(channels) + 0.5, torch.randn(channels)
        state[f"{key}.running_mean"], state[f"{key}.running_var"] = torch.randn(channels), torch.rand(channels) + 0.5
        state[f"{key}.num_batches_tracked"] = torch.tensor(7)

    conv("features.0.0", 32, 3, 3)
    norm("features.0.1", 32)
    inputs = 32
    for index, outputs in enumerate(CHANNELS, start=1):
        key, hidden = f"features.{index}.conv", inputs * (1 if index == 1 else 6)
        first = 0
        if index > 1:
            conv(f"{key}.0", hidden, inputs, 1)
            norm(f"{key}.1", hidden)
            first = 3
        conv(f"{key}.{first}", hidden, 1, 3)
        norm(f"{key}.{first + 1}", hidden)
        conv(f"{key}.{first + 3}", outputs, hidden, 1)
        norm(f"{key}.{first + 4}", outputs)
        inputs = outputs
    conv("features.18.0", 1280, 320, 1)
    norm("features.18.1", 1280)
    return state


def normed(state, key, x):
    return F.batch_norm(x, *(state[f"{key}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")))


def test_mapped_weights_compute_the_same(tmp_path):
    state = published_state()
    torch.save(state, tmp_path / "mobilenet.pt")
    backbone = MobileNetV2((1, 7)).eval()
    missing, unexpected = backbone.load_state_dict(mobilenetv2_state(tmp_path / "mobilenet.pt"), strict=False)
    assert not unexpected and not [key for key in missing if "num_batches" not in key]
    image = torch.rand(1, 3, 63, 63) * 255  # BGR
    x = (image.flip(1) / 255 - MEAN[:, None, None]) / STD[:, None, None]
    x = F.relu6(normed(state, "features.0.1", F.conv2d(x, state["features.0.0.weight"], stride=2)))
    x = F.conv2d(x, state["features.1.conv.0.weight"], padding=1, groups=32)
    x = F.relu6(normed(state, "features.1.conv.1", x))
    expected = normed(state, "features.1.conv.4", F.conv2d(x, state["features.1.conv.3.weight"]))
    torch.testing.assert_close(backbone(image)[0], expected, rtol=1e-3, atol=1e-3)


def test_another_network_is_refused(tmp_path):
    torch.save({"features.0.0.weight": torch.zeros(48, 3, 3, 3)}, tmp_path / "wide.pt")
    with pytest.raises(UserError, match=r"width 1\.0"):
        mobilenetv2_state(tmp_path / "wide.pt")
