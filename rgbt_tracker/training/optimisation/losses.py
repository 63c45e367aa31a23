"""SiamRPN++'s and SiamBAN's losses, as sums and counts: several processes can take the mean of the global batch.

Both classify; boxes are compared with the truth by L1 of what anchors predict, and by IoU of what points do.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from rgbt_tracker.models.anchors import centred_overlap, decode_points
from rgbt_tracker.training.data.batches import Batch
from rgbt_tracker.training.optimisation.teacher import SoftTargets, box_gap, divergence
from rgbt_tracker.training.recipe import Loss, Targets


class Sums(NamedTuple):
    """Sums over this process's share, and what to divide them by after adding up all shares.

    ``positive`` and ``negative`` are negative log likelihoods, ``location`` the weighted L1 or 1 - IoU, over
    ``located`` pairs or positive points; ``distillation`` the distance from the teacher, over ``distilled`` pairs.
    """

    positive: Tensor
    negative: Tensor
    location: Tensor
    positives: Tensor
    negatives: Tensor
    located: Tensor
    distillation: Tensor
    distilled: Tensor

    def counts(self) -> Tensor:
        """(4,) positives, negatives, located, distilled."""
        return torch.stack([self.positives, self.negatives, self.located, self.distilled])


def loss_sums(
    cls: Tensor,
    loc: Tensor,
    batch: Batch,
    loss: Loss,
    targets: Targets,
    soft: SoftTargets | None = None,
    points: bool = False,
) -> Sums:
    """Sum the losses of a head's output.

    Args:
        cls: (N, 2A, n, n), all background scores first. loc: (N, 4A, n, n), dx of all anchors first.
        soft: the teacher's answer, if there is a teacher.
        points: ``loc`` are distances of points to the four edges, not offsets of anchors.
    """
    logp = cls.float().unflatten(1, (2, -1)).log_softmax(1)
    positive, negative = batch.label == 1, batch.label == 0
    if loss.hard:
        negative = _with_hard(logp[:, 1].detach(), negative, batch, loss.hard, targets)
    loc = loc.float()
    zero = logp.new_zeros(())
    if points:
        boxes = _around_points(loc)
        gap = (1 - centred_overlap(boxes, _around_points(batch.delta[:, :, 0])))[:, None]
        located = positive.sum().to(logp.dtype)
    else:
        gap = (loc.unflatten(1, (4, -1)) - batch.delta).abs().sum(1)
        located = logp.new_tensor(float(len(cls)))
    distillation = distilled = zero
    if soft is not None:
        distance = divergence(cls, soft) + (box_gap(boxes, soft) if points else 0)
        distillation = torch.where(soft.valid, distance, zero).sum()
        distilled = soft.valid.sum().to(logp.dtype)
    return Sums(
        positive=-torch.where(positive, logp[:, 1], zero).sum(),
        negative=-torch.where(negative, logp[:, 0], zero).sum(),
        location=(gap * batch.weight).sum(),
        positives=positive.sum().to(logp.dtype),
        negatives=negative.sum().to(logp.dtype),
        located=located,
        distillation=distillation,
        distilled=distilled,
    )


def _around_points(distances: Tensor) -> Tensor:
    """(N, 4, n, n) distances to the left, top, right and bottom edge -> boxes cx, cy, w, h relative to the points."""
    return decode_points(distances, distances.new_zeros(2, 1)).view_as(distances)


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

    ``classification`` x (0.5 NLL+ + 0.5 NLL-) + ``location`` x L + ``teacher`` x T; NLL are means over anchors or
    points, L is a mean over pairs (L1 of anchors) or positive points (1 - IoU), T over the pairs in which the teacher
    found the target.

    Args:
        counts: (4,) positives, negatives, located and distilled of all processes together.
    """
    positives, negatives, located, distilled = counts.clamp_min(1)
    nll = 0.5 * sums.positive / positives + 0.5 * sums.negative / negatives
    distillation = loss.teacher * sums.distillation / distilled
    return world * (loss.classification * nll + loss.location * sums.location / located + distillation)
