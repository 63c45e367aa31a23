"""What a network starts from."""

from __future__ import annotations

import math

import torch
from torch import nn

from nestfuse_core.common.checkpoints import read_checkpoint, state_dict_of
from nestfuse_core.common.errors import UserError
from rgbt_tracker.models.load import adapt, misfit
from rgbt_tracker.models.network import SiameseNetwork
from rgbt_tracker.zoo import resolve


def load_start(network: SiameseNetwork, start: str | None = None) -> None:
    """Initialise the network in place.

    Args:
        start: None for random values; else the name of weights on this machine, or a file: a whole checkpoint of this
            network to go on from.

    Raises:
        UserError: no such weights, or some that do not fit.
    """
    _initialise_head(network)
    if start is None:
        return
    file = resolve(start)
    state = adapt(state_dict_of(read_checkpoint(file)), network)
    problem = misfit(network.state_dict(), state)
    if problem:
        raise UserError(f"The start '{file}' does not fit the recipe's model: {problem}.")
    network.load_state_dict(state, strict=False)


def _initialise_head(network: nn.Module) -> None:
    """Positions start as background, with probability 0.99, so that the first steps are not spent on saying so."""
    for name, module in network.named_modules():
        if name.endswith("cls.head.3") and isinstance(module, nn.Conv2d) and module.bias is not None:
            with torch.no_grad():
                count = len(module.bias) // 2
                module.bias[:count] = math.log(0.99 / 0.01) / 2
                module.bias[count:] = -math.log(0.99 / 0.01) / 2
