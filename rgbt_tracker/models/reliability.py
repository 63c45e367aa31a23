"""Reliability-aware fusion: which camera sees the target decides, not which has the larger features.

NestFuse's weights follow feature magnitude, so a camera that is blind (smoke, darkness, thermal crossover) still pulls
the fused response away. Here each modality, and the paper's fusion of them as one more opinion, answers by itself: the
head runs on all *branches* as one batch. A branch is believed as far as it believes itself: its *evidence* is the
log-odds of its best candidate, now (e) and as a moving average over the frames before (m, the gate's memory):

    weights = softmax(now e + memory m),        m <- m + rate (e - m)

The branches' responses are combined as a product of experts, the weighted mean of their log-odds, and their boxes in
proportion to weight and response at a position. Gradients flow through all of it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from rgbt_tracker.config import ReliabilityConfig

MOST = 6.9
"""Log-odds of a probability of 0.999, beyond which there is nothing to tell apart: one branch's confident mistake
cannot outvote everything."""


class GateOutput(NamedTuple):
    """Combined head output: ``cls`` (N, 2A, h, w), ``loc`` (N, 4A, h, w), and how it came about.

    ``weights`` (B, N) sum to 1 over the branches, ``shares`` (B, N, 1, h, w) are each branch's part in the response at
    a position, ``memory`` (B, N) goes into the next frame.
    """

    cls: Tensor
    loc: Tensor
    weights: Tensor
    shares: Tensor
    memory: Tensor


class ReliabilityGate(nn.Module):
    """Combine the head's outputs of B branches; see the module's text.

    Its parameters ``now``, ``memory`` and ``rate`` are those of the configuration; `rgbt calibrate` fits them.
    """

    def __init__(self, config: ReliabilityConfig) -> None:
        super().__init__()
        self.now, self.memory, self.rate = (
            nn.Parameter(torch.tensor(value)) for value in (config.now, config.memory, config.rate)
        )

    def forward(self, cls: Tensor, loc: Tensor, memory: Tensor | None = None) -> GateOutput:
        """Fuse one search.

        Args:
            cls: (B, N, 2A, h, w) logits, all background ones first.
            loc: (B, N, 4A, h, w) box parameters.
            memory: (B, N) of the frame before; NaN, or None for all, in the first search of a track, whose evidence
                stands for it.
        """
        odds = log_odds(cls)
        evidence = odds.amax((2, 3, 4))
        memory = evidence if memory is None else torch.where(memory.isnan(), evidence, memory)
        weights = self.weights(evidence, memory)
        return self.combine(odds, loc, weights, torch.lerp(memory, evidence, self.rate).detach())

    def weights(self, evidence: Tensor, memory: Tensor) -> Tensor:
        """(B, ...) evidence now and in memory -> (B, ...), a softmax over the branches."""
        return (self.now * evidence + self.memory * memory).softmax(0)

    @staticmethod
    def combine(odds: Tensor, loc: Tensor, weights: Tensor, memory: Tensor) -> GateOutput:
        """(B, N, A, h, w) log-odds and (B, N, 4A, h, w) box parameters under (B, N) ``weights``."""
        spread = weights[:, :, None, None, None]
        response = (spread * odds).sum(0)
        parts = spread * odds.sigmoid()
        parts = parts / parts.sum(0)
        boxes = loc.float().unflatten(2, (4, odds.shape[2]))
        return GateOutput(
            torch.cat([logsigmoid(-response), logsigmoid(response)], 1),
            (parts.unsqueeze(2) * boxes).sum(0).flatten(1, 2),
            weights,
            parts.mean(2, keepdim=True),
            memory,
        )


def log_odds(cls: Tensor) -> Tensor:
    """(B, N, 2A, h, w) logits, all background ones first -> (B, N, A, h, w) log-odds of the target in +-`MOST`."""
    background, target = cls.float().chunk(2, 2)  # half precision has no probability between 0.996 and 1
    return (target - background).clamp(-MOST, MOST)
