"""Targets of a search region: which anchors or points are the target, and where it lies from them.

Anchors as in SiamRPN++ (PySOT's ``AnchorTarget``), points as in SiamBAN and NanoTrack (their ``PointTarget``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.config import AnchorConfig, TrackerConfig
from rgbt_tracker.models.anchors import make_anchors, make_points
from rgbt_tracker.training.recipe import Targets

IGNORED, NEGATIVE, POSITIVE = -1, 0, 1
_EMPTY = 1e-6


@dataclass(frozen=True)
class Target:
    """What the head should answer for one search region, with A = 1 for points.

    Attributes:
        label: (A, n, n) int8: 1 positive, 0 negative, -1 left out.
        delta: (4, A, n, n) float32: of anchors (cx - ax) / aw, (cy - ay) / ah, log(w / aw), log(h / ah); of points
            the distances to the left, top, right and bottom edge, px.
        weight: (A, n, n) float32, not 0 at positives only: of anchors 1 / their number, of points 1.
        background: (A, n, n) bool: surely not the target, the candidates for hard negatives.
    """

    label: NDArray[np.int8]
    delta: NDArray[np.float32]
    weight: NDArray[np.float32]
    background: NDArray[np.bool_]


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

    def overlaps(self, box: NDArray[np.float64]) -> NDArray[np.float64]:
        """IoU (A, n, n) of every anchor with a box x1, y1, x2, y2."""
        x1, y1, x2, y2 = self.corners
        width = np.maximum(0, np.minimum(x2, box[2]) - np.maximum(x1, box[0]))
        height = np.maximum(0, np.minimum(y2, box[3]) - np.maximum(y1, box[1]))
        inter = width * height
        area = (box[2] - box[0]) * (box[3] - box[1])
        return inter / ((self.sizes[0] * self.sizes[1])[:, None, None] + area - inter)

    def positive(self, box: NDArray[np.float64], targets: Targets, rng: np.random.Generator) -> Target:
        """The target for a search region that shows the template's target at ``box`` (x1, y1, x2, y2)."""
        iou = self.overlaps(box)
        label = _labels(rng, iou > targets.high, iou < targets.low, targets)
        weight = np.where(label == POSITIVE, 1 / ((label == POSITIVE).sum() + _EMPTY), 0).astype(np.float32)
        center = (box[:2] + box[2:]) / 2
        size = np.maximum(box[2:] - box[:2], 1)
        anchors = self.sizes[:, :, None, None]
        delta = np.empty((4, *iou.shape), np.float32)
        delta[:2] = (center[:, None, None, None] - self.centers) / anchors
        delta[2:] = np.log(size[:, None, None, None] / anchors)
        return Target(label, delta, weight, iou < targets.low)

    def negative(self, box: NDArray[np.float64], targets: Targets, rng: np.random.Generator) -> Target:
        """The target for a search region of another object: negatives among the 7x7 positions around that object."""
        shape = self.centers.shape[1:]
        count, side = shape[-1], 2 * (self.centers[0, 0, 0, shape[-1] // 2])
        column, row = (
            count // 2 + int(np.ceil((middle - side // 2) / self.stride + 0.5)) for middle in (box[:2] + box[2:]) / 2
        )
        near = np.zeros(shape, bool)
        rows, columns = (slice(max(0, at - 3), max(0, min(count, at + 4))) for at in (row, column))
        near[:, rows, columns] = True
        return _nothing(rng, near, targets)


@dataclass(frozen=True)
class PointGrid:
    """Points of a search region, (2, 1, n, n) ``centers`` x and y in its pixel-centre coordinates."""

    centers: NDArray[np.float64]

    def ellipse(self, box: NDArray[np.float64]) -> NDArray[np.float64]:
        """(1, n, n) squared distance of every point from the middle of the box, 1 on the ellipse that touches it."""
        middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
        return (((self.centers - middle[:, None, None, None]) / half[:, None, None, None]) ** 2).sum(0)

    def positive(self, box: NDArray[np.float64], targets: Targets, rng: np.random.Generator) -> Target:
        """The target for a search region that shows the template's target at ``box`` (x1, y1, x2, y2).

        Positive inside the ellipse whose half axes are a quarter of the box's sides, negative outside the one of half
        of them, which touches the box.
        """
        distance = self.ellipse(box)
        label = _labels(rng, distance < 0.25, distance > 1, targets)
        low, high = box[:2, None, None, None], box[2:, None, None, None]
        delta = np.concatenate([self.centers - low, high - self.centers]).astype(np.float32)
        return Target(label, delta, (label == POSITIVE).astype(np.float32), distance > 1)

    def negative(self, box: NDArray[np.float64], targets: Targets, rng: np.random.Generator) -> Target:
        """The target for a search region of another object: negatives where that object's positives would be."""
        return _nothing(rng, self.ellipse(box) < 0.25, targets)


Grid = AnchorGrid | PointGrid


def make_grid(config: TrackerConfig, positions: int) -> Grid:
    """The tracker's own anchors or points, on ``positions`` squared, in pixels of its search region."""
    middle = (config.tracking.instance - 1) // 2
    if config.model.head.type == "rpn":
        return anchor_grid(config.anchors, positions, config.tracking.instance)
    points = make_points(config.anchors.stride, positions).astype(np.float64)
    return PointGrid(points.reshape(2, 1, positions, positions) + middle)


def anchor_grid(config: AnchorConfig, positions: int, side: int) -> AnchorGrid:
    """Anchors on ``positions`` squared, in pixels of a search region ``side`` wide."""
    flat = make_anchors(config, positions).astype(np.float64).reshape(4, config.count, positions, positions)
    return AnchorGrid(flat[:2] + (side - 1) // 2, flat[2:, :, 0, 0], config.stride)


def _labels(
    rng: np.random.Generator, positive: NDArray[np.bool_], negative: NDArray[np.bool_], targets: Targets
) -> NDArray[np.int8]:
    label = np.full(positive.size, IGNORED, np.int8)
    label[_choose(rng, positive, targets.positives)] = POSITIVE
    label[_choose(rng, negative, targets.total - targets.positives)] = NEGATIVE
    return label.reshape(positive.shape)


def _nothing(rng: np.random.Generator, near: NDArray[np.bool_], targets: Targets) -> Target:
    """A target that is nowhere: negatives among the places ``near`` another object, hard ones anywhere."""
    label = np.full(near.size, IGNORED, np.int8)
    label[_choose(rng, near, targets.negative_pair)] = NEGATIVE
    zeros = np.zeros(near.shape, np.float32)
    return Target(label.reshape(near.shape), np.zeros((4, *near.shape), np.float32), zeros, np.ones(near.shape, bool))


def _choose(rng: np.random.Generator, where: NDArray[np.bool_], most: int) -> NDArray[np.int64]:
    """Flat indices of at most ``most`` true places, drawn without repetition."""
    found = np.flatnonzero(where)
    return found if len(found) <= most else rng.permutation(found)[:most]
