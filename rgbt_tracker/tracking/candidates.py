"""The boxes that one search offers, and how the tracker ranks them."""

from __future__ import annotations

import numpy as np

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.anchors import (
    Array,
    beside,
    change_penalty,
    decode_anchors,
    decode_points,
    make_anchors,
    make_points,
    target_scores,
)


class Candidates:
    """Boxes, scores and ranks of a head's output with A = ``count`` anchors (or 1) at ``size`` x ``size`` positions.

    M = A size^2 candidates; boxes are cx, cy, w, h in search-crop px relative to the crop's centre. Arrays are NumPy's
    or torch's, as they are given.

    Raises:
        UserError: ``count`` is not the configuration's, or its stride not that of the positions.
    """

    def __init__(self, config: TrackerConfig, count: int, size: int) -> None:
        self._options = config.tracking
        rpn = config.model.head.type == "rpn"
        due = config.anchors.count if rpn else 1
        if count != due:
            raise UserError(
                f"The network answers for {count} anchors a place, the configuration '{config.name}' has {due}; give "
                "the one that it was exported with."
            )
        stride, region = config.anchors.stride, config.tracking.instance
        # A template slides over the whole region with (PySOT's base size) or without its rim.
        if not region - config.tracking.exemplar <= size * stride < region + stride:
            raise UserError(
                f"The network of '{config.name}' answers at {size} x {size} places, which {stride} px apart do not "
                f"fit a search region of {region} px; set anchors.stride to the stride of its levels."
            )
        self._places = make_anchors(config.anchors, size) if rpn else make_points(stride, size)
        self._decode = decode_anchors if rpn else decode_points
        hanning = np.hanning(size)
        self._window = np.tile(np.outer(hanning, hanning).ravel(), count).astype(np.float32)

    def decode(self, cls: Array, loc: Array) -> tuple[Array, Array]:
        """(N, 2A, h, w) and (N, 4A, h, w) of the head -> (N, 4, M) boxes and (N, M) scores."""
        return self.boxes(loc), target_scores(cls)

    def boxes(self, loc: Array) -> Array:
        """(N, 4A, h, w) of the head -> (N, 4, M) boxes."""
        return self._decode(loc, self._places)

    def rank(self, boxes: Array, scores: Array, width: Array | float, height: Array | float) -> tuple[Array, Array]:
        """(..., M) ranks, and the penalties in them for changes from the target's last size in crop px.

        rank = penalty score (1 - k) + window k, k the window's influence (SiamRPN).
        """
        options = self._options
        penalty = change_penalty(boxes, width, height, options.penalty)
        return penalty * scores * (1 - options.window) + beside(self._window, scores) * options.window, penalty
