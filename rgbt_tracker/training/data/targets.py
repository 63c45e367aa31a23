"""Anchor targets of SiamRPN++ (PySOT's ``AnchorTarget``): which anchors are the target, and where it lies from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.config import AnchorConfig
from rgbt_tracker.models.anchors import make_anchors
from rgbt_tracker.training.recipe import Targets

IGNORED, NEGATIVE, POSITIVE = -1, 0, 1
_EMPTY = 1e-6


@dataclass(frozen=True)
class AnchorGrid:
    """Anchors of a search region in its pixel-centre coordinates.

    Attributes:
        centers: (2, A, n, n) x and y. sizes: (2, A) width and height. stride: pixels between positions.
    """

    centers: NDArray[np.float64]
    sizes: NDArray[np.float64]
    stride: int

    @cached_property
    def corners(self) -> NDArray[np.float64]:
        """(4, A, n, n) x1, y1, x2, y2."""
        half = self.sizes[:, :, None, None] / 2
        return np.concatenate([self.centers - half, self.centers + half])


def anchor_grid(config: AnchorConfig, positions: int, side: int) -> AnchorGrid:
    """The tracker's own anchors, on ``positions`` squared, in pixels of a search region ``side`` wide."""
    flat = make_anchors(config, positions).double().numpy().reshape(4, config.count, positions, positions)
    return AnchorGrid(flat[:2] + (side - 1) // 2, flat[2:, :, 0, 0], config.stride)


@dataclass(frozen=True)
class Target:
    """What the head should answer for one search region.

    Attributes:
        label: (A, n, n) int8: 1 positive, 0 negative, -1 left out.
        delta: (4, A, n, n) float32: (cx - ax) / aw, (cy - ay) / ah, log(w / aw), log(h / ah).
        weight: (A, n, n) float32: 1 / number of positives at them, else 0.
        background: (A, n, n) bool: IoU below ``low``, the candidates for hard negatives.
    """

    label: NDArray[np.int8]
    delta: NDArray[np.float32]
    weight: NDArray[np.float32]
    background: NDArray[np.bool_]


def overlaps(grid: AnchorGrid, box: NDArray[np.float64]) -> NDArray[np.float64]:
    """IoU (A, n, n) of every anchor with a box x1, y1, x2, y2."""
    x1, y1, x2, y2 = grid.corners
    width = np.maximum(0, np.minimum(x2, box[2]) - np.maximum(x1, box[0]))
    height = np.maximum(0, np.minimum(y2, box[3]) - np.maximum(y1, box[1]))
    inter = width * height
    area = (box[2] - box[0]) * (box[3] - box[1])
    return inter / ((grid.sizes[0] * grid.sizes[1])[:, None, None] + area - inter)


def _choose(rng: np.random.Generator, where: NDArray[np.bool_], most: int) -> NDArray[np.int64]:
    """Flat indices of at most ``most`` true places, drawn without repetition."""
    found = np.flatnonzero(where)
    return found if len(found) <= most else rng.permutation(found)[:most]


def positive_target(grid: AnchorGrid, box: NDArray[np.float64], targets: Targets, rng: np.random.Generator) -> Target:
    """The target for a search region that shows the template's target at ``box`` (x1, y1, x2, y2)."""
    iou = overlaps(grid, box)
    label = np.full(iou.size, IGNORED, np.int8)
    positive = _choose(rng, iou > targets.high, targets.positives)
    negative = _choose(rng, iou < targets.low, targets.total - targets.positives)
    label[positive], label[negative] = POSITIVE, NEGATIVE
    weight = np.zeros(iou.size, np.float32)
    weight[positive] = 1 / (len(positive) + _EMPTY)
    center = (box[:2] + box[2:]) / 2
    size = np.maximum(box[2:] - box[:2], 1)
    anchors = grid.sizes[:, :, None, None]
    delta = np.empty((4, *iou.shape), np.float32)
    delta[:2] = (center[:, None, None, None] - grid.centers) / anchors
    delta[2:] = np.log(size[:, None, None, None] / anchors)
    return Target(label.reshape(iou.shape), delta, weight.reshape(iou.shape), iou < targets.low)


def negative_target(grid: AnchorGrid, box: NDArray[np.float64], targets: Targets, rng: np.random.Generator) -> Target:
    """The target for a search region of another object: negatives among the 7x7 positions around that object."""
    shape = grid.centers.shape[1:]
    count, side = shape[-1], 2 * (grid.centers[0, 0, 0, shape[-1] // 2])
    column, row = (
        count // 2 + int(np.ceil((middle - side // 2) / grid.stride + 0.5)) for middle in (box[:2] + box[2:]) / 2
    )
    near = np.zeros(shape, bool)
    near[:, max(0, row - 3) : max(0, min(count, row + 4)), max(0, column - 3) : max(0, min(count, column + 4))] = True
    label = np.full(near.size, IGNORED, np.int8)
    label[_choose(rng, near, targets.negative_pair)] = NEGATIVE
    nothing = np.zeros(shape, np.float32)
    return Target(label.reshape(shape), np.zeros((4, *shape), np.float32), nothing, np.ones(shape, bool))
