"""The tracking loop: one implementation for every model, step for step as PySOT's SiamRPN++ tracker."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import check_box
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.anchors import position_scores, target_scores
from rgbt_tracker.models.network import Clock, Output, SiameseNetwork, Template
from rgbt_tracker.tracking.candidates import Candidates
from rgbt_tracker.tracking.crop import crop_square
from rgbt_tracker.tracking.online import OnlineClassifier, at_centres
from rgbt_tracker.tracking.stopwatch import NoStopwatch
from rgbt_tracker.tracking.thermal import ThermalView, as_bgr

MIN_SIDE = 10.0
"""No tracked box becomes smaller than this, in px."""
ASIDE = 0.28
"""How far the views on which a template is tried look past the target, both ways, in sides of the template square."""
Image = NDArray[Any]
Means = NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """One frame's answer.

    Attributes:
        box: x, y, w, h in px of the visible image (of the thermal one when it is used alone), 0-based.
        score: the head's probability that the box holds the target, 0..1.
        lost: the score is below ``tracking.lost_below``.
        weights: under reliability-aware fusion, the weight of each branch (the modalities, then their joint fusion).
        maps: with ``record_maps``, level name -> (K, h, w) share of each modality over the search region
            ``search_box``; otherwise None.
        search_box: x, y, w, h of the square that was searched.
    """

    box: tuple[float, float, float, float]
    score: float
    lost: bool
    weights: tuple[float, ...] | None = None
    maps: dict[str, NDArray[np.float32]] | None = None
    search_box: tuple[float, float, float, float] | None = None


@dataclass
class _State:
    center: tuple[float, float]
    size: tuple[float, float]
    means: list[Means]
    template: Template
    online: OnlineClassifier | None = None
    memory: Tensor | None = None


class Tracker:
    """Follows one target: ``initialize`` on its box, then ``update`` with every further frame.

    Images are HxWx3 or HxW uint8 (thermal also 16-bit), BGR; None for a modality that the configuration does not use.
    """

    def __init__(self, config: TrackerConfig, network: SiameseNetwork, device: torch.device | str = "cpu") -> None:
        self.config = config
        self.device = torch.device(device)
        self.network = network.to(self.device).eval()
        self.record_maps = False
        self._clock: Clock = NoStopwatch()
        self._thermal = ThermalView(config.thermal)
        self._state: _State | None = None
        self._made: dict[tuple[int, int], Candidates] = {}

    @property
    def stopwatch(self) -> Clock:
        """What times the sections of a frame; assign a `Stopwatch` to measure."""
        return self._clock

    @stopwatch.setter
    def stopwatch(self, clock: Clock) -> None:
        self._clock = self.network.stopwatch = clock

    def initialize(self, rgb: ArrayLike | None, ir: ArrayLike | None, box: ArrayLike) -> None:
        """Learn the target from its first frame.

        Raises:
            UserError: a box that is not four finite numbers with area inside the image, or images that do not fit
                the configuration's modality.
        """
        self._thermal.start()
        images = self._images(rgb, ir)
        height, width = images[0].shape[:2]
        x, y, w, h = check_box(box, width, height)
        center = (x + (w - 1) / 2, y + (h - 1) / 2)
        means = [np.mean(image, axis=(0, 1)) for image in images]
        side = float(np.round(self.context_side(w, h)))
        with torch.inference_mode():
            crops = self._crops(images, center, side, self.config.tracking.exemplar, means)
            template, online = self._tried(self.network.template(crops), images, center, side, means)
        self._state = _State(center, (w, h), means, template, online)

    def update(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> Result:
        """Find the target in the next frame.

        Raises:
            UserError: called before ``initialize``, or images that do not fit.
        """
        if self._state is None:
            raise UserError("Call initialize(rgb, ir, box) with the first frame before update(rgb, ir).")
        state, options = self._state, self.config.tracking
        images = self._images(rgb, ir)
        exemplar_side = self.context_side(*state.size)
        scale = options.exemplar / exemplar_side
        side = round(exemplar_side * (options.instance / options.exemplar))
        with torch.inference_mode():
            crops = self._crops(images, state.center, side, options.instance, state.means)
            output = self.network.search(state.template, crops, state.memory, state.online is not None)
            with self._clock("post-processing"):
                best = self._best(output, scale)
        box, score = self._move(best, scale, images[0].shape)
        maps = self._maps(output) if self.record_maps else None
        weights = None if output.weights is None else tuple(output.weights[:, 0].tolist())
        half = side / 2
        search_box = (state.center[0] - half, state.center[1] - half, float(side), float(side))
        state.memory = output.memory
        state.center, state.size = (box[0], box[1]), (box[2], box[3])
        corner = (box[0] - box[2] / 2, box[1] - box[3] / 2, box[2], box[3])
        return Result(
            corner, score, score < options.lost_below, weights, maps, search_box if self.record_maps else None
        )

    @property
    def target(self) -> tuple[float, float, float, float]:
        """The target as it was last seen: cx, cy, w, h in px. Raises UserError before ``initialize``."""
        if self._state is None:
            raise UserError("The tracker has no target before initialize(rgb, ir, box).")
        return (*self._state.center, *self._state.size)

    def relocate(self, box: ArrayLike) -> None:
        """Search around ``box`` (x, y, w, h) next, for the same target: its template and the gate's memory stay."""
        x, y, w, h = (float(value) for value in np.asarray(box, np.float64))
        self.target  # noqa: B018 - raises where there is none
        assert self._state is not None
        self._state.center, self._state.size = (x + w / 2, y + h / 2), (w, h)

    def _images(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> list[Image]:
        given = {"rgb": rgb, "ir": ir}
        for name in self.config.modalities:
            if given[name] is None:
                raise UserError(
                    f"The configuration '{self.config.name}' has modality '{self.config.modality}' but the {name} frame"
                    f" is None; pass it, or set the modality to '{'ir' if name == 'rgb' else 'rgb'}'."
                )
        images: list[Image] = []
        if "rgb" in self.config.modalities:
            images.append(as_bgr(np.asarray(rgb), "rgb"))
        if "ir" in self.config.modalities:
            size = (images[0].shape[1], images[0].shape[0]) if images else None
            images.append(self._thermal(np.asarray(ir), size))
        return images

    def context_side(self, w: float, h: float) -> float:
        """Side of the template square in image px: sqrt((w + p)(h + p)), p the context."""
        context = self.config.tracking.context * (w + h)
        return math.sqrt((w + context) * (h + context))

    def _crops(
        self,
        images: list[Image],
        center: tuple[float, float],
        side: float,
        size: int,
        means: list[Means],
    ) -> Tensor:
        """(K, 1, 3, size, size) float32 on the device."""
        with self._clock("cropping"):
            crops = [crop_square(i, center, side, size, mean) for i, mean in zip(images, means, strict=True)]
            stacked = torch.from_numpy(np.stack(crops)).to(self.device, non_blocking=True)
            return stacked.permute(0, 3, 1, 2).float()[:, None]

    def _tried(
        self, template: Template, images: list[Image], center: tuple[float, float], side: float, means: list[Means]
    ) -> tuple[Template, OnlineClassifier | None]:
        """The template as it does on views of its own frame, and the classifier that learned from them."""
        options = self.config.tracking.online
        if not (self.network.judges or options.weight):
            return template, None
        views, places = self._views(images, center, side, means)
        if self.network.judges:
            template = self.network.judge(template, views, places)
        if not options.weight:
            return template, None
        outputs = [self.network.search(template, view, None, True) for view in views.split(1, 1)]
        channels = torch.stack([_channels(output) for output in outputs], 1)
        size = outputs[0].cls.shape[-1]
        scores = torch.cat([position_scores(target_scores(output.cls), size) for output in outputs])
        return template, OnlineClassifier(options, channels, scores, places)

    def _views(
        self, images: list[Image], center: tuple[float, float], side: float, means: list[Means]
    ) -> tuple[Tensor, Tensor]:
        """Search images of the first frame, and the target's rows and columns from the middle of the responses to them.

        It lies off-centre, since a response that is high in the middle whatever it sees would pass for a find there.
        """
        options = self.config.tracking
        wide = round(side * options.instance / options.exemplar)
        step = options.exemplar * ASIDE / self.config.anchors.stride
        views, places = [], []
        for across, down in ((1, 1), (-1, 1), (-1, -1), (1, -1)):
            aside = center[0] + across * ASIDE * side, center[1] + down * ASIDE * side
            views.append(self._crops(images, aside, wide, options.instance, means))
            places.append((-down * step, -across * step))
        return torch.cat(views, 1), torch.tensor(places)

    def _candidates(self, count: int, size: int) -> Candidates:
        """For an output of A = ``count`` and h = w = ``size``; made once."""
        if (count, size) not in self._made:
            self._made[count, size] = Candidates(self.config, count, size, self.device)
        return self._made[count, size]

    def _best(self, output: Output, scale: float) -> list[float]:
        """The chosen candidate as [cx, cy, w, h, score, penalty]: one transfer from the device."""
        assert self._state is not None
        online, size = self._state.online, output.cls.shape[-1]
        candidates = self._candidates(output.cls.shape[1] // 2, size)
        boxes, head = (values[0] for values in candidates.decode(output.cls, output.loc))
        own = head if online is None else self._online_scores(online, output, boxes)
        scores = head if online is None else torch.lerp(head, own, self.config.tracking.online.weight)
        w, h = self._state.size
        ranked, penalty = candidates.rank(boxes, scores, w * scale, h * scale)
        index = ranked.argmax()
        if online is not None:
            place = boxes[:2, index].flip(0) / self.config.anchors.stride
            confidence = torch.minimum(head[index], own[index])
            online.learn(_channels(output), position_scores(head, size), place, confidence)
        return torch.cat([boxes[:, index], head[index, None], penalty[index, None]]).tolist()

    def _online_scores(self, online: OnlineClassifier, output: Output, boxes: Tensor) -> Tensor:
        """(M,) what the classifier makes of the candidates: its branches weighted as the gate does."""
        scores = online.scores(_channels(output))
        weighted = scores[0] if output.weights is None else torch.einsum("bhw,b->hw", scores, output.weights[:, 0])
        return at_centres(weighted, boxes, self.config.anchors.stride)

    def _move(self, best: list[float], scale: float, shape: tuple[int, ...]) -> tuple[list[float], float]:
        """Smooth the size, keep the box in the image: [cx, cy, w, h] and the raw score."""
        assert self._state is not None
        dx, dy, w, h, score, penalty = best
        rate = penalty * score * self.config.tracking.lr
        height, width = shape[:2]
        center, size = self._state.center, self._state.size
        w, h = size[0] * (1 - rate) + w / scale * rate, size[1] * (1 - rate) + h / scale * rate
        return [
            max(0.0, min(center[0] + dx / scale, width)),
            max(0.0, min(center[1] + dy / scale, height)),
            max(MIN_SIDE, min(w, width)),
            max(MIN_SIDE, min(h, height)),
        ], score

    def _maps(self, output: Output) -> dict[str, NDArray[np.float32]] | None:
        names = [f"level{level}" for level in self.config.model.backbone.levels or (0,)]
        if output.weights is not None:
            names = ["response"]
        maps = {
            name: level[:, 0, 0].float().cpu().numpy()
            for name, level in zip(names, output.maps, strict=True)
            if level is not None
        }
        return maps or None


def _channels(output: Output) -> Tensor:
    """(B, D, h, w) of one search that kept them."""
    assert output.channels is not None
    return output.channels[:, 0]
