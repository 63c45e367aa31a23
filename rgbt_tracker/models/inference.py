"""Making a trained network faster without changing what it computes."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def prepare_for_inference(network: nn.Module) -> None:
    """Fold batch norms into the convolutions before them and lay weights out channels-last, in place.

    Outputs change by float32 rounding only. The network can no longer be trained, nor load a checkpoint.
    """
    network.eval()
    _fold(network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _fold(module: nn.Module) -> None:
    """Every network here registers a batch norm right after the convolution that feeds it."""
    previous: tuple[str, nn.Module] | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and previous is not None and isinstance(previous[1], nn.Conv2d):
            setattr(module, previous[0], fuse_conv_bn_eval(previous[1], child))
            setattr(module, name, nn.Identity())
        else:
            _fold(child)
        previous = (name, child)
