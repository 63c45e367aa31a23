"""Turning a head's output into boxes: anchors of the RPN heads, points of the anchor-free head.

All boxes here are (cx, cy, w, h) in search-crop pixels relative to the crop's centre. What takes a head's output takes
NumPy's arrays, of which the tracking loop consists, and torch's tensors, where gradients are wanted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.config import AnchorConfig

Array = Any
"""A NumPy array or a torch tensor, float32; what is made of it is of the same kind."""


def make_anchors(config: AnchorConfig, size: int) -> NDArray[np.float32]:
    """Anchors of a ``size`` x ``size`` output: (4, A size^2) as cx, cy, w, h; order anchor, y, x.

    Widths int(sqrt(stride^2 / ratio)) and heights int(width ratio), times the scale (SiamRPN).
    """
    shapes = []
    for ratio in config.ratios:
        width = int((config.stride**2 / ratio) ** 0.5)
        height = int(width * ratio)
        shapes += [(width * scale, height * scale) for scale in config.scales]
    x, y = make_points(config.stride, size).reshape(2, size, size)
    rows = [np.stack([x, y, np.full_like(x, w), np.full_like(x, h)]) for w, h in shapes]
    return np.stack(rows, 1).reshape(4, -1)


def make_points(stride: int, size: int) -> NDArray[np.float32]:
    """Centres of a ``size`` x ``size`` output: (2, size^2) as x, y; order y, x."""
    steps = (np.arange(size, dtype=np.float32) - size // 2) * stride
    return np.stack(np.meshgrid(steps, steps)).reshape(2, -1)


def decode_anchors(loc: Array, anchors: Array) -> Array:
    """(N, 4A, h, w) offsets and (4, A h w) anchors -> (N, 4, A h w) boxes: cx = dx aw + ax, w = exp(dw) aw."""
    delta, anchors = loc.reshape(len(loc), 4, -1), beside(anchors, loc)
    places = delta[:, :2] * anchors[2:] + anchors[:2]
    return _module(loc).concatenate([places, _module(loc).exp(delta[:, 2:]) * anchors[2:]], 1)


def decode_points(loc: Array, points: Array) -> Array:
    """(N, 4, h, w) distances to the left, top, right and bottom edge and (2, h w) points -> (N, 4, h w) boxes."""
    distance, points = loc.reshape(len(loc), 4, -1), beside(points, loc)
    low, high = points - distance[:, :2], points + distance[:, 2:]
    return _module(loc).concatenate([(low + high) / 2, high - low], 1)


def target_scores(cls: Array) -> Array:
    """(N, 2A, h, w) logits, all background ones first -> (N, A h w) probability of the target, their softmax."""
    background, target = cls.reshape(len(cls), 2, -1).swapaxes(0, 1)
    # A softmax over two is a sigmoid, and this form of it cannot overflow.
    return (1 + _module(cls).tanh((target - background) / 2)) / 2


def change_penalty(boxes: Array, width: Array | float, height: Array | float, strength: float) -> Array:
    """(..., 4, M) boxes cx, cy, w, h against the target's last size -> (..., M) factor in (0, 1].

    exp(-k (r s - 1)) with r and s the factors, >= 1, by which shape and size change (SiamRPN).
    """
    w, h = boxes[..., 2, :], boxes[..., 3, :]
    size = _change(_context(w, h) / _context(width, height))
    shape = _change((width / height) / (w / h))
    return _module(boxes).exp(-(shape * size - 1) * strength)


def centred_overlap(a: Array, b: Array) -> Array:
    """IoU of boxes cx, cy, w, h, held in axis 1: (N, 4, ...) and (N, 4, ...) -> (N, ...)."""
    least, most = _module(a).minimum, _module(a).maximum
    low = most(*(box[:, :2] - box[:, 2:] / 2 for box in (a, b)))
    high = least(*(box[:, :2] + box[:, 2:] / 2 for box in (a, b)))
    shared = (high - low).clip(0).prod(1)
    return shared / (a[:, 2:].prod(1) + b[:, 2:].prod(1) - shared)


def beside(constant: Array, values: Array) -> Array:
    """``constant`` as ``values`` are: a NumPy array as it is, or a tensor on their device."""
    return constant if isinstance(values, np.ndarray) else _module(values).asarray(constant, device=values.device)


def _module(values: Array) -> Any:
    """Whose functions take ``values``: numpy, or torch, which is not imported for arrays."""
    if isinstance(values, np.ndarray):
        return np
    import torch

    return torch


def _change(ratio: Array) -> Array:
    return _module(ratio).maximum(ratio, 1 / ratio)


def _context(w: Array | float, h: Array | float) -> Array:
    pad = (w + h) * 0.5
    return ((w + pad) * (h + pad)) ** 0.5
