"""The tracking loop: PySOT's SiamRPN++ tracker step for step, for every model and for one or two cameras.

How candidates are scored is `rgbt_tracker.tracking.scoring`, the only part that goes beyond it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import Box, check_box
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.network import SearchOutput
from rgbt_tracker.models.timing import NoTimer, Timer
from rgbt_tracker.tracking.cameras import CameraFrames, Image
from rgbt_tracker.tracking.candidates import Candidates
from rgbt_tracker.tracking.crop import crop_square
from rgbt_tracker.tracking.interface import Result
from rgbt_tracker.tracking.scoring import CandidateScorer, Network, Point

MIN_SIDE = 10.0
"""No tracked box becomes smaller than this, in px."""


@dataclass
class _Target:
    """Centre and width, height in image px, and the first frame's channel means, one (3,) a modality."""

    center: Point
    size: tuple[float, float]
    means: list[NDArray[np.float64]]


class _Best(NamedTuple):
    """The chosen candidate: cx, cy, w, h in crop px from the crop's centre, its score and the penalty on its rank."""

    dx: float
    dy: float
    w: float
    h: float
    score: float
    penalty: float


class Tracker:
    """Follows one target: ``initialize`` on its box, then ``update`` with every further frame.

    Images are HxWx3 or HxW uint8 (thermal also 16-bit), BGR; None for a modality that the configuration does not use.

    Args:
        config: names the modalities and holds the loop's settings.
        network: in evaluation mode, on ``device``.
        device: where crops go.

    Attributes:
        record_maps: whether results hold the fusion's weight maps.
        timer: of the loop's sections; the network has its own.
    """

    def __init__(self, config: TrackerConfig, network: Network, device: torch.device | str = "cpu") -> None:
        self.config = config
        self._network = network
        self.device = torch.device(device)
        self.record_maps = False
        self.timer: Timer = NoTimer()
        self._frames = CameraFrames(config)
        self._scorer = CandidateScorer(config, network)
        self._candidates: dict[tuple[int, int], Candidates] = {}
        self._target: _Target | None = None

    def initialize(self, rgb: ArrayLike | None, ir: ArrayLike | None, box: ArrayLike) -> None:
        """Learn the target from its first frame.

        Raises:
            UserError: a box that is not four finite numbers with area inside the image, or images that do not fit
                the configuration's modality.
        """
        self._frames.start()
        images = list(self._frames(rgb, ir).values())
        height, width = images[0].shape[:2]
        x, y, w, h = check_box(box, width, height)
        center = (x + (w - 1) / 2, y + (h - 1) / 2)
        means = [np.mean(image, axis=(0, 1)) for image in images]
        side = float(np.round(self.context_side(w, h)))
        with torch.inference_mode():
            self._scorer.start(partial(self._crops, images, means), center, side)
        self._target = _Target(center, (w, h), means)

    def update(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> Result:
        """Find the target in the next frame.

        Raises:
            UserError: called before ``initialize``, or images that do not fit.
        """
        target, options = self._present_target(), self.config.tracking
        images = list(self._frames(rgb, ir).values())
        exemplar_side = self.context_side(*target.size)
        scale = options.exemplar / exemplar_side
        side = round(exemplar_side * (options.instance / options.exemplar))
        with torch.inference_mode():
            crops = self._crops(images, target.means, target.center, side, options.instance)
            output = self._scorer(crops)
            with self.timer("post-processing"):
                best = self._best(output, target.size[0] * scale, target.size[1] * scale)
        searched = (target.center[0] - side / 2, target.center[1] - side / 2, float(side), float(side))
        self._move(target, best, scale, images[0].shape)
        return self._result(target, best.score, output, searched)

    @property
    def network(self) -> Network:
        """What scores the candidates; another one needs a tracker of its own."""
        return self._network

    @property
    def target(self) -> Box:
        """The target as it was last seen: cx, cy, w, h in px. Raises UserError before ``initialize``."""
        target = self._present_target()
        return (*target.center, *target.size)

    def relocate(self, box: ArrayLike) -> None:
        """Search around ``box`` (x, y, w, h) next, for the same target: its template and the gate's memory stay."""
        target = self._present_target()
        x, y, w, h = (float(value) for value in np.asarray(box, np.float64))
        target.center, target.size = (x + w / 2, y + h / 2), (w, h)

    def context_side(self, w: float, h: float) -> float:
        """Side of the template square in image px: sqrt((w + p)(h + p)), p the context."""
        context = self.config.tracking.context * (w + h)
        return math.sqrt((w + context) * (h + context))

    def _present_target(self) -> _Target:
        if self._target is None:
            raise UserError("There is no target yet: call initialize(rgb, ir, box) with the first frame before update.")
        return self._target

    def _crops(
        self, images: list[Image], means: list[NDArray[np.float64]], center: Point, side: float, size: int
    ) -> Tensor:
        """(K, 1, 3, size, size) float32 on the device."""
        with self.timer("cropping"):
            crops = [crop_square(i, center, side, size, mean) for i, mean in zip(images, means, strict=True)]
            stacked = torch.from_numpy(np.stack(crops)).to(self.device, non_blocking=True)
            return stacked.permute(0, 3, 1, 2).float()[:, None]

    def _best(self, output: SearchOutput, width: float, height: float) -> _Best:
        """The candidate of the highest rank against the target's last size in crop px: one transfer from the device."""
        shape = output.cls.shape[1] // 2, output.cls.shape[-1]
        if shape not in self._candidates:
            self._candidates[shape] = Candidates(self.config, *shape, self.device)
        candidates = self._candidates[shape]
        boxes, scores = (values[0] for values in candidates.decode(output.cls, output.loc))
        ranked, penalty = candidates.rank(boxes, scores, width, height)
        index = ranked.argmax()
        return _Best(*torch.cat([boxes[:, index], scores[index, None], penalty[index, None]]).tolist())

    def _move(self, target: _Target, best: _Best, scale: float, shape: tuple[int, ...]) -> None:
        """Go to the candidate, with the size smoothed and the box kept in the image."""
        rate = best.penalty * best.score * self.config.tracking.lr
        (cx, cy), (w, h), (height, width) = target.center, target.size, shape[:2]
        w, h = w * (1 - rate) + best.w / scale * rate, h * (1 - rate) + best.h / scale * rate
        target.center = max(0.0, min(cx + best.dx / scale, width)), max(0.0, min(cy + best.dy / scale, height))
        target.size = max(MIN_SIDE, min(w, width)), max(MIN_SIDE, min(h, height))

    def _result(self, target: _Target, score: float, output: SearchOutput, searched: Box) -> Result:
        (cx, cy), (w, h) = target.center, target.size
        weights = None if output.weights is None else tuple(output.weights[:, 0].tolist())
        maps, search_box = None, None
        if self.record_maps:
            search_box = searched
            maps = {name: level[:, 0, 0].float().cpu().numpy() for name, level in output.maps.items()} or None
        lost = score < self.config.tracking.lost_below
        return Result((cx - w / 2, cy - h / 2, w, h), score, lost, weights, maps, search_box)
