"""Turning a head's output into boxes: anchors of the RPN heads, points of the anchor-free head.

All boxes here are (cx, cy, w, h) in search-crop pixels relative to the crop's centre.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rgbt_tracker.config import AnchorConfig


def make_anchors(config: AnchorConfig, size: int) -> Tensor:
    """Anchors of a ``size`` x ``size`` output: (4, A size^2) as cx, cy, w, h; order anchor, y, x.

    Widths int(sqrt(stride^2 / ratio)) and heights int(width ratio), times the scale (SiamRPN).
    """
    shapes = []
    for ratio in config.ratios:
        width = int((config.stride**2 / ratio) ** 0.5)
        height = int(width * ratio)
        shapes += [(width * scale, height * scale) for scale in config.scales]
    y, x = _grid(config.stride, size)
    rows = [torch.stack([x, y, torch.full_like(x, w), torch.full_like(x, h)]) for w, h in shapes]
    return torch.stack(rows, 1).reshape(4, -1)


def make_points(stride: int, size: int) -> Tensor:
    """Centres of a ``size`` x ``size`` output: (2, size^2) as x, y; order y, x."""
    y, x = _grid(stride, size)
    return torch.stack([x, y]).reshape(2, -1)


def _grid(stride: int, size: int) -> tuple[Tensor, Tensor]:
    steps = (torch.arange(size, dtype=torch.float32) - size // 2) * stride
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return y, x


def decode_anchors(loc: Tensor, anchors: Tensor) -> Tensor:
    """(N, 4A, h, w) offsets and (4, A h w) anchors -> (N, 4, A h w) boxes: cx = dx aw + ax, w = exp(dw) aw."""
    delta = loc.reshape(len(loc), 4, -1)
    return torch.cat([delta[:, :2] * anchors[2:] + anchors[:2], delta[:, 2:].exp() * anchors[2:]], 1)


def decode_points(loc: Tensor, points: Tensor) -> Tensor:
    """(N, 4, h, w) distances to the left, top, right and bottom edge and (2, h w) points -> (N, 4, h w) boxes."""
    distance = loc.reshape(len(loc), 4, -1)
    low, high = points - distance[:, :2], points + distance[:, 2:]
    return torch.cat([(low + high) / 2, high - low], 1)


def target_scores(cls: Tensor) -> Tensor:
    """(N, 2A, h, w) logits, all background ones first -> (N, A h w) probability of the target."""
    return cls.reshape(len(cls), 2, -1).softmax(1)[:, 1]


def change_penalty(boxes: Tensor, width: Tensor | float, height: Tensor | float, strength: float) -> Tensor:
    """(..., 4, M) boxes cx, cy, w, h against the target's last size -> (..., M) factor in (0, 1].

    exp(-k (r s - 1)) with r and s the factors, >= 1, by which shape and size change (SiamRPN).
    """
    w, h = boxes[..., 2, :], boxes[..., 3, :]
    size = _change(_context(w, h) / _context(width, height))
    shape = _change((width / height) / (w / h))
    return torch.exp(-(shape * size - 1) * strength)


def centred_overlap(a: Tensor, b: Tensor) -> Tensor:
    """IoU of boxes cx, cy, w, h, held in axis 1: (N, 4, ...) and (N, 4, ...) -> (N, ...)."""
    low = torch.maximum(*(box[:, :2] - box[:, 2:] / 2 for box in (a, b)))
    high = torch.minimum(*(box[:, :2] + box[:, 2:] / 2 for box in (a, b)))
    shared = (high - low).clamp_min(0).prod(1)
    return shared / (a[:, 2:].prod(1) + b[:, 2:].prod(1) - shared)


def _change(ratio: Tensor) -> Tensor:
    return torch.maximum(ratio, 1 / ratio)


def _context(w: Tensor | float, h: Tensor | float) -> Tensor:
    pad = (w + h) * 0.5
    return torch.as_tensor((w + pad) * (h + pad)) ** 0.5
