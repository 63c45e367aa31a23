"""The tracking loop: PySOT's SiamRPN++ tracker step for step, for every model and for one or two cameras.

How candidates are scored is `rgbt_tracker.tracking.scoring`, which goes beyond it, as does what happens where a camera
has no picture of a frame.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import Box, check_box
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.network import SearchOutput
from rgbt_tracker.models.timing import NoTimer, Timer
from rgbt_tracker.tracking.cameras import CameraFrames, Image, turned
from rgbt_tracker.tracking.candidates import Candidates
from rgbt_tracker.tracking.crop import crop_square
from rgbt_tracker.tracking.interface import Result
from rgbt_tracker.tracking.scoring import CandidateScorer, Network, Point

MIN_SIDE = 10.0
"""No tracked box becomes smaller than this, in px."""
CERTAIN = 0.8
"""Score from which on a camera may learn what the target looks like from where another one sees it."""
EARLY = 5
"""Frames after the one whose box was given in which it may learn that at any score: the target cannot be far."""


@dataclass
class _Target:
    """Centre and width, height in image px, the channel means (3,) of the frame in which each camera learnt it, whether
    its place is known well enough for another camera to learn it there, and the frames since it was given."""

    center: Point
    size: tuple[float, float]
    means: dict[str, NDArray[np.float64]]
    certain: bool = True
    age: int = 0


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

    With two cameras either may be None in any frame; the other goes on alone, as the tracker of that camera would. A
    camera that had no picture of the first frame learns the target from the first of its pictures in which the other
    is certain of it: a centre inside the picture, edges excluded, and a score of `CERTAIN` or more; any score serves in
    the `EARLY` frames after the one whose box was given. It takes part from the next frame on; where it is the only one
    there, at once, at the place of the frame before. Boxes are px of the visible picture, of the last one while it is
    missing. As long as there was none they are px of the thermal picture, and the target is moved into the visible
    one's when that appears.

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
            UserError: a box that is not four finite numbers with area inside the image, no image at all, or images
                that do not fit the configuration's modality.
        """
        self._frames.start()
        images = self._frames(rgb, ir)
        if self._frames.size is None:
            raise UserError("Expected a picture of the first frame from at least one camera, got None for both.")
        x, y, w, h = check_box(box, *self._frames.size)
        target = _Target((x + (w - 1) / 2, y + (h - 1) / 2), (w, h), {})
        self._scorer.start()
        self._learn(target, images)
        self._target = target

    def update(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> Result:
        """Find the target in the next frame.

        Where there is no picture of it, or only that of a camera which never saw the target, the target stays where it
        was: the result has the last box, score 0 and no ``cameras``, and is lost.

        Raises:
            UserError: called before ``initialize``, or images that do not fit.
        """
        target = self._present_target()
        images = self._frames(rgb, ir)
        if self._frames.turn is not None:
            cx, cy, w, h = turned(self._frames.turn, target.center, target.size)
            target.center, target.size = (cx, cy), (w, h)
        if target.certain and not set(images) & set(self._scorer.known):
            self._learn(target, images)
        known = {camera: image for camera, image in images.items() if camera in self._scorer.known}
        result = self._search(target, known) if known else self._stay(target)
        if target.certain and len(known) < len(images):
            self._learn(target, {camera: image for camera, image in images.items() if camera not in known})
        return result

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that changes from frame to frame, exact to the bit; see `restore`.

        Raises:
            UserError: called before ``initialize``.
        """
        target = self._present_target()
        late = {f"mean_{camera}": mean for camera, mean in target.means.items()}
        place = {
            "target": np.array([*target.center, *target.size]),
            "certain": np.array(target.certain),
            "age": np.array(target.age),
        }
        return {**place, **late, **self._frames.state(), **self._scorer.state()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from where `state` was called, after ``initialize`` on the same first frame and box.

        Raises:
            UserError: called before ``initialize``.
        """
        target = self._present_target()
        cx, cy, w, h = state["target"].tolist()
        target.center, target.size = (cx, cy), (w, h)
        target.certain, target.age = bool(state["certain"]), int(state["age"])
        target.means = {name.removeprefix("mean_"): mean for name, mean in state.items() if name.startswith("mean_")}
        self._frames.restore(state)
        with torch.inference_mode():
            self._scorer.restore(state, self.device)

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
        target.center, target.size, target.certain, target.age = (x + w / 2, y + h / 2), (w, h), True, 0

    def context_side(self, w: float, h: float) -> float:
        """Side of the template square in image px: sqrt((w + p)(h + p)), p the context."""
        context = self.config.tracking.context * (w + h)
        return math.sqrt((w + context) * (h + context))

    def _present_target(self) -> _Target:
        if self._target is None:
            raise UserError("There is no target yet: call initialize(rgb, ir, box) with the first frame before update.")
        return self._target

    def _learn(self, target: _Target, images: dict[str, Image]) -> None:
        """Let the cameras of ``images`` learn the target where it is."""
        if not images:
            return
        target.means |= {camera: np.mean(image, axis=(0, 1)) for camera, image in images.items()}
        side = max(1.0, float(np.round(self.context_side(*target.size))))
        with torch.inference_mode():
            self._scorer.learn(tuple(images), partial(self._crops, images, target.means), target.center, side)

    def _search(self, target: _Target, images: dict[str, Image]) -> Result:
        """Find the target in ``images``, whose cameras all know it, and go there."""
        options = self.config.tracking
        exemplar_side = self.context_side(*target.size)
        scale = options.exemplar / exemplar_side
        side = max(1, round(exemplar_side * (options.instance / options.exemplar)))
        with torch.inference_mode():
            crops = self._crops(images, target.means, target.center, side, options.instance)
            output = self._scorer(tuple(images), crops)
            with self.timer("post-processing"):
                best = self._best(output, target.size[0] * scale, target.size[1] * scale)
        searched = (target.center[0] - side / 2, target.center[1] - side / 2, float(side), float(side))
        self._move(target, best, scale)
        return self._result(target, best.score, output, searched, tuple(images))

    @staticmethod
    def _stay(target: _Target) -> Result:
        """Nothing to look at: who knows where the target goes meanwhile."""
        target.certain = False
        (cx, cy), (w, h) = target.center, target.size
        return Result((cx - w / 2, cy - h / 2, w, h), 0.0, lost=True)

    def _crops(
        self, images: dict[str, Image], means: dict[str, NDArray[np.float64]], center: Point, side: float, size: int
    ) -> Tensor:
        """(K, 1, 3, size, size) float32 on the device."""
        with self.timer("cropping"):
            crops = [crop_square(image, center, side, size, means[camera]) for camera, image in images.items()]
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
        best = torch.cat([boxes[:, index], scores[index, None], penalty[index, None]]).tolist()
        if not all(map(math.isfinite, best)):
            raise UserError(
                f"The network of '{self.config.name}' answers with numbers that are not finite; its weights are "
                "damaged, or none for these pictures: fetch them again."
            )
        return _Best(*best)

    def _move(self, target: _Target, best: _Best, scale: float) -> None:
        """Go to the candidate, with the size smoothed and the box kept in the image."""
        assert self._frames.size is not None
        rate = best.penalty * best.score * self.config.tracking.lr
        (cx, cy), (w, h), (width, height) = target.center, target.size, self._frames.size
        w, h = w * (1 - rate) + best.w / scale * rate, h * (1 - rate) + best.h / scale * rate
        target.center = max(0.0, min(cx + best.dx / scale, width)), max(0.0, min(cy + best.dy / scale, height))
        target.size = max(MIN_SIDE, min(w, width)), max(MIN_SIDE, min(h, height))
        inside = 0 < target.center[0] < width and 0 < target.center[1] < height
        target.age += 1
        target.certain = (best.score >= CERTAIN or target.age <= EARLY) and inside

    def _result(
        self, target: _Target, score: float, output: SearchOutput, searched: Box, cameras: tuple[str, ...]
    ) -> Result:
        (cx, cy), (w, h) = target.center, target.size
        weights = None if output.weights is None else tuple(output.weights[:, 0].tolist())
        maps, search_box = None, None
        if self.record_maps:
            search_box = searched
            maps = {name: level[:, 0, 0].float().cpu().numpy() for name, level in output.maps.items()} or None
        lost = score < self.config.tracking.lost_below
        return Result((cx - w / 2, cy - h / 2, w, h), score, lost, weights, maps, search_box, cameras)
