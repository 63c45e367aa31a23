"""SiamRPN++'s losses, as sums and counts, so that several processes can take the mean of the global batch."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from rgbt_tracker.training.data.batches import Batch
from rgbt_tracker.training.optimisation.teacher import SoftTargets, divergence
from rgbt_tracker.training.recipe import Loss, Targets


class Sums(NamedTuple):
    """Sums over this process's share, and what to divide them by after adding up all shares.

    ``positive`` and ``negative`` are negative log likelihoods, ``location`` the weighted L1, ``distillation`` the
    divergence from the teacher, over ``distilled`` pairs.
    """

    positive: Tensor
    negative: Tensor
    location: Tensor
    positives: Tensor
    negatives: Tensor
    pairs: Tensor
    distillation: Tensor
    distilled: Tensor

    def counts(self) -> Tensor:
        """(4,) positives, negatives, pairs, distilled."""
        return torch.stack([self.positives, self.negatives, self.pairs, self.distilled])


def loss_sums(
    cls: Tensor, loc: Tensor, batch: Batch, loss: Loss, targets: Targets, soft: SoftTargets | None = None
) -> Sums:
    """Sum the losses of a head's output.

    Args:
        cls: (N, 2A, n, n), all background scores first. loc: (N, 4A, n, n), dx of all anchors first.
        soft: the teacher's answer, if there is a teacher.
    """
    logp = cls.float().unflatten(1, (2, -1)).log_softmax(1)
    positive, negative = batch.label == 1, batch.label == 0
    if loss.hard:
        negative = _with_hard(logp[:, 1].detach(), negative, batch, loss.hard, targets)
    gap = (loc.float().unflatten(1, (4, -1)) - batch.delta).abs().sum(1)
    zero = logp.new_zeros(())
    distillation = distilled = zero
    if soft is not None:
        distillation = torch.where(soft.valid, divergence(cls, soft), zero).sum()
        distilled = soft.valid.sum().to(logp.dtype)
    return Sums(
        positive=-torch.where(positive, logp[:, 1], zero).sum(),
        negative=-torch.where(negative, logp[:, 0], zero).sum(),
        location=(gap * batch.weight).sum(),
        positives=positive.sum().to(logp.dtype),
        negatives=negative.sum().to(logp.dtype),
        pairs=logp.new_tensor(float(len(cls))),
        distillation=distillation,
        distilled=distilled,
    )


def _with_hard(score: Tensor, random: Tensor, batch: Batch, share: float, targets: Targets) -> Tensor:
    """Replace ``share`` of the random negatives by the highest scoring background anchors."""
    most = targets.total - targets.positives
    hard = round(share * most)
    ranked = score.masked_fill(~batch.background, -torch.inf).flatten(1)
    top = torch.zeros_like(random.flatten(1))
    top.scatter_(1, ranked.topk(hard, dim=1).indices, True)
    top &= batch.background.flatten(1)
    # keep each random one with the remaining share, without drawing again: every k-th of them, in order
    order = random.flatten(1).cumsum(1)
    kept = random.flatten(1) & ((order * (1 - share)).floor() > ((order - 1) * (1 - share)).floor())
    return (top | kept).view_as(random)


def total(sums: Sums, counts: Tensor, loss: Loss, world: int = 1) -> Tensor:
    """The loss whose mean over ``world`` processes is that of the global batch.

    ``classification`` x (0.5 NLL+ + 0.5 NLL-) + ``location`` x L1 + ``teacher`` x KL; NLL are means over anchors, L1
    is a mean over pairs, KL over the pairs in which the teacher found the target.

    Args:
        counts: (4,) positives, negatives, pairs and distilled of all processes together.
    """
    positives, negatives, pairs, distilled = counts.clamp_min(1)
    nll = 0.5 * sums.positive / positives + 0.5 * sums.negative / negatives
    distillation = loss.teacher * sums.distillation / distilled
    return world * (loss.classification * nll + loss.location * sums.location / pairs + distillation)
