"""Model soups: the mean of several weights of one network.

Weights before and after a fine-tuning lie in one valley of the loss; their mean often does better on data that neither
was tuned for than either of them (Wortsman et al., CVPR 2022).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from torch import Tensor

from nestfuse_core.common.checkpoints import half, read_checkpoint, state_dict_of
from nestfuse_core.common.errors import UserError
from rgbt_tracker.zoo.store import resolve


def make_soup(files: Sequence[str | os.PathLike[str]]) -> dict[str, Tensor]:
    """Return the mean state dict, float16; tensors that are not floating point are the first one's.

    Args:
        files: names of weights or files, two or more.

    Raises:
        UserError: fewer than two, or one that is not of the first one's network.
    """
    if len(files) < 2:
        raise UserError(f"Expected two or more weights to average, got {len(files)}.")
    states = [state_dict_of(read_checkpoint(resolve(file))) for file in files]
    first = states[0]
    for file, state in zip(files, states, strict=True):
        odd = sorted(first.keys() ^ state.keys()) or [key for key in first if first[key].shape != state[key].shape]
        if odd:
            raise UserError(f"'{file}' is not of the same network as '{files[0]}': they differ in '{odd[0]}'.")
    return half(
        {
            key: torch.stack([state[key] for state in states]).mean(0) if value.is_floating_point() else value
            for key, value in first.items()
        }
    )
