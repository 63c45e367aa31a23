"""The optimiser, what numbers it works on, and its learning rate."""

from __future__ import annotations

from typing import Any

import torch

from rgbt_tracker.training.recipe import Optimiser

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def make_optimiser(options: Optimiser, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    """SGD with momentum, or AdamW; weight decay on everything, as in the official recipe."""
    if options.type == "adamw":
        return torch.optim.AdamW(groups, lr=options.rate, weight_decay=options.weight_decay)
    return torch.optim.SGD(groups, lr=options.rate, momentum=options.momentum, weight_decay=options.weight_decay)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group, times its ratio."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["ratio"]
