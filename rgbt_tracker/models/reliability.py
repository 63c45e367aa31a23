"""Reliability-aware fusion: which modality sees the target decides, not which has the larger features.

NestFuse's weights follow feature magnitude, so a modality that is blind (smoke, darkness, thermal crossover) still
pulls the fused response away. Here each modality, and the paper's fusion of them as one more opinion, answers by
itself: the head runs on all *branches* as one batch. Every branch then earns a weight from evidence in its response:
- how strongly it responds at the place that is agreed on, and in part at its own peak, against its strongest response
  elsewhere; that place is named by the mean of all branches, or by the joint one, which sees what both modalities see,
- how far its own peak lies from that place,
- both now and as a moving average over the frames before (the *memory*),
- how well its template finds the target in the first frame itself, where the target's place is known (the *template
  confidence*): a template that shows smoke answers confidently to whatever looks like smoke.

The branches' responses are combined under these weights, and so are their boxes, each in proportion to its weight and
response at that position. Nothing but the gate's four gains and the branches' biases is learned; gradients flow through
all of it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from rgbt_tracker.config import ReliabilityConfig
from rgbt_tracker.models.anchors import target_scores

TINY = 1e-6


class GateOutput(NamedTuple):
    """Combined head output: ``cls`` (N, 2A, h, w), ``loc`` (N, 4A, h, w), and how it came about.

    ``weights`` (B, N) sum to 1 over the branches, ``shares`` (B, N, 1, h, w) are each branch's part in the response at
    a position, ``memory`` (B, N, 2) goes into the next frame.
    """

    cls: Tensor
    loc: Tensor
    weights: Tensor
    shares: Tensor
    memory: Tensor


class ReliabilityGate(nn.Module):
    """Combine the head's outputs of B branches; see the module's text."""

    def __init__(self, config: ReliabilityConfig) -> None:
        super().__init__()
        self.config = config
        self.gains = nn.Parameter(torch.tensor(config.gains))
        self.bias = nn.Parameter(torch.tensor(config.bias))

    def forward(
        self, cls: Tensor, loc: Tensor, memory: Tensor | None = None, confidence: Tensor | None = None
    ) -> GateOutput:
        """Fuse one search.

        Args:
            cls: (B, N, 2A, h, w) logits, all background ones first.
            loc: (B, N, 4A, h, w) box parameters.
            memory: of the frame before; None in the first search of a track.
            confidence: (B, N), from `template_confidence`; None leaves all branches equal in this respect.
        """
        cls, loc = cls.float(), loc.float()  # half precision has no number between 0.996 and 1
        branches, batch = cls.shape[:2]
        scores = self._scores(cls)
        anchors = scores.shape[2]
        evidence = self._evidence(scores.amax(2))
        if memory is None:
            # A single frame says little about what is to come; the mean of the branches prefers none.
            memory = torch.lerp(evidence.mean(0, keepdim=True), evidence, self.config.first)
        weights = self._weights(evidence, memory, confidence)
        spread = weights.view(branches, batch, 1, 1, 1)
        parts = spread * scores
        response = parts.sum(0)
        if self.config.combine == "product":
            limit = self.config.limit
            response = torch.sigmoid((spread * torch.logit(scores).clamp(-limit, limit)).sum(0))
        parts = parts / parts.sum(0)
        boxes = loc.unflatten(2, (4, anchors))
        joint = (parts.unsqueeze(2) * boxes).sum(0).flatten(1, 2)
        rate = self.config.rate
        return GateOutput(
            torch.cat([torch.log1p(-response), response.log()], 1),
            joint,
            weights,
            parts.mean(2, keepdim=True),
            (1 - rate) * memory + rate * evidence.detach(),
        )

    def template_confidence(self, cls: Tensor, places: Tensor) -> Tensor:
        """How well templates find the target in views of their own frame.

        Args:
            cls: (B, V, 2A, h, w) logits of V views.
            places: (V, 2) rows and columns from the middle of each response to the target, maybe between positions.

        Returns:
            (B, 1) mean over the views of the best log-odds within 1.5 positions of the target, in +-6.9; of the joint
            branch, whose own are lower than both modalities' even where both see well, the mean of theirs.
        """
        odds = _odds(self._scores(cls.float()).amax(2))
        size = odds.shape[-1]
        near = self._near(places.to(odds.device) + size // 2, size, radius=1.5)
        found = odds.masked_fill(~near, -torch.inf).amax((2, 3)).mean(1, keepdim=True)
        return torch.cat([found[:2], found[:2].mean(0, keepdim=True)]) if len(found) == 3 else found

    @staticmethod
    def _scores(cls: Tensor) -> Tensor:
        """(B, N, 2A, h, w) logits -> (B, N, A, h, w) probabilities, never 0 or 1."""
        scores = target_scores(cls.flatten(0, 1)).view(*cls.shape[:2], cls.shape[2] // 2, *cls.shape[-2:])
        return scores.clamp(TINY, 1 - TINY)

    def _evidence(self, response: Tensor) -> Tensor:
        """(B, N, h, w) best score of a position -> (B, N, 2): log-odds margin, and distance to the agreed place.

        The margin is that at the agreed place, and to the part ``own`` that at a branch's own peak.
        """
        size = response.shape[-1]
        window = torch.hann_window(size, periodic=False, device=response.device, dtype=response.dtype)
        half = self.config.prior
        named = response[-1] if self.config.place == "joint" else response.mean(0)
        place = _peak(named * (1 - half) + half * torch.outer(window, window))
        peak = _peak(response)
        odds = _odds(response)
        heights = self._at_and_elsewhere(odds, place.expand_as(peak))
        if self.config.own:
            heights = torch.lerp(heights, self._at_and_elsewhere(odds, peak), self.config.own)
        at, elsewhere = heights
        rows, columns = (peak - place).float().unbind(-1)
        return torch.stack([at - self.config.rivals * elsewhere, torch.hypot(rows, columns) / (size / 2)], -1)

    def _at_and_elsewhere(self, odds: Tensor, places: Tensor) -> Tensor:
        """(B, N, h, w) and (B, N, 2) rows and columns -> (2, B, N): the highest right there, and farther away."""
        size = odds.shape[-1]
        near, around = (
            self._near(places.flatten(0, 1), size, radius).view_as(odds) for radius in (1, max(2, size // 6))
        )
        return torch.stack([odds.masked_fill(mask, -torch.inf).amax((2, 3)) for mask in (~near, around)])

    @staticmethod
    def _near(places: Tensor, size: int, radius: float) -> Tensor:
        """(N, 2) rows and columns -> (N, size, size) mask of the squares of ``radius`` around them."""
        steps = torch.arange(size, device=places.device)
        rows, columns = ((steps - place[:, None]).abs() <= radius for place in places.T)
        return rows[:, :, None] & columns[:, None, :]

    def _weights(self, evidence: Tensor, memory: Tensor, confidence: Tensor | None) -> Tensor:
        """(B, N, 2) evidence now and in memory -> (B, N), a softmax over the branches."""
        now, before, far_now, far_before = self.gains
        bias = self.bias[: len(evidence), None]
        logits = bias + now * evidence[..., 0] + before * memory[..., 0]
        logits = logits - far_now * evidence[..., 1] - far_before * memory[..., 1]
        if confidence is not None:
            logits = logits + self.config.template * confidence
        if len(logits) == 3:
            # A joint fusion is worth more than either modality as long as both see the target.
            rgb, thermal = logits[:2].softmax(0)
            logits = torch.stack([logits[0], logits[1], logits[2] + self.config.together * 4 * rgb * thermal])
        return logits.softmax(0)


def _peak(response: Tensor) -> Tensor:
    """(..., h, w) -> (..., 2) row and column of the highest value."""
    place = response.flatten(-2).argmax(-1)
    return torch.stack([place // response.shape[-1], place % response.shape[-1]], -1)


def _odds(response: Tensor) -> Tensor:
    """Log-odds in +-6.9: beyond a probability of 0.999 there is nothing to tell apart."""
    return torch.logit(response.clamp(1e-3, 1 - 1e-3))
