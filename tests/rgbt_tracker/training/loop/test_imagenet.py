"""The ImageNet start: mapped weights compute what the original network computes."""

import pytest
import torch
import torch.nn.functional as F

from nestfuse_core.common.errors import UserError
from rgbt_tracker.models.backbones.mobilenetv2 import MobileNetV2
from rgbt_tracker.training.loop.imagenet import MEAN, STD, mobilenetv2_state


def normed(state, key, x):
    return F.batch_norm(x, *(state[f"{key}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")))


def test_mapped_weights_compute_the_same(tmp_path, published_state):
    state = published_state
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
