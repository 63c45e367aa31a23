"""Making a trained network faster without changing what it computes."""

from __future__ import annotations

import torch
from torch import nn

from rgbt_tracker.models.folding import fold


def prepare_for_inference(network: nn.Module) -> None:
    """Fold batch norms and activations into the convolutions before them, weights channels-last, in place.

    Outputs change by float32 rounding only. The network can no longer be trained, nor load a checkpoint.
    """
    fold(network.eval())
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
