"""How well a batch was answered."""

from __future__ import annotations

import torch
from torch import Tensor

from rgbt_tracker.models.anchors import centred_overlap, decode_points
from rgbt_tracker.training.data.batches import Batch
from rgbt_tracker.training.data.targets import Grid, PointGrid


def best_box_iou(cls: Tensor, loc: Tensor, batch: Batch, grid: Grid) -> float:
    """Mean IoU of each positive pair's highest scoring box with the target; NaN without a positive pair.

    Both boxes are decoded from offsets of the same anchor or point, so no other geometry is needed.
    """
    chosen = ~batch.negative
    if not bool(chosen.any()):
        return float("nan")
    logits = cls[chosen].float().unflatten(1, (2, -1))
    best = (logits[:, 1] - logits[:, 0]).flatten(1).argmax(1)
    index = best[:, None, None].expand(-1, 4, 1)
    delta = loc[chosen].float().unflatten(1, (4, -1)).flatten(2).gather(2, index)[..., 0]
    truth = batch.delta[chosen].flatten(2).gather(2, index)[..., 0]
    if isinstance(grid, PointGrid):
        places = delta.new_zeros(2, 1)
        return float(centred_overlap(*(decode_points(d, places) for d in (delta, truth))).mean())
    sizes = torch.as_tensor(grid.sizes, device=cls.device, dtype=torch.float32)
    anchor = sizes[:, best // (cls.shape[-1] * cls.shape[-2])].T
    boxes = [torch.cat([d[:, :2] * anchor, d[:, 2:].exp() * anchor], 1) for d in (delta, truth)]
    return float(centred_overlap(*boxes).mean())
