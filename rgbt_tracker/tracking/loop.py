"""The tracking loop: PySOT's SiamRPN++ tracker step for step, for every model, one or two cameras and any number of
targets, which share a frame's pass through the network.

How candidates are scored is `rgbt_tracker.tracking.scoring`, which goes beyond it, as does what happens where a camera
has no picture of a frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import check_box
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.timing import NoTimer, Timer
from rgbt_tracker.runtime.interface import Answer, Pixels, Runtime
from rgbt_tracker.tracking.cameras import CameraFrames, Image
from rgbt_tracker.tracking.candidates import Candidates
from rgbt_tracker.tracking.crop import crop_square
from rgbt_tracker.tracking.interface import Result
from rgbt_tracker.tracking.scoring import CandidateScorer
from rgbt_tracker.tracking.target import Best, Target


class TrackingLoop:
    """Takes targets from frame to frame.

    Args:
        config: names the cameras and holds the loop's settings.
        runtime: computes the network.

    Attributes:
        timer: of the loop's sections; the network has its own.
    """

    def __init__(self, config: TrackerConfig, runtime: Runtime) -> None:
        self.config, self.runtime = config, runtime
        self.timer: Timer = NoTimer()
        self._scorer = CandidateScorer(config, runtime)
        self._candidates: dict[tuple[int, int], Candidates] = {}

    def start(self, images: dict[str, Image], size: tuple[int, int], box: ArrayLike) -> Target:
        """A new target at ``box`` (x, y, w, h) of a picture of ``size`` (width, height), learnt from its first frame.

        Args:
            images: what `CameraFrames` made of the frame; at least one.

        Raises:
            UserError: a box that is not four finite numbers with area inside the picture.
        """
        x, y, w, h = check_box(box, *size)
        target = Target((x + (w - 1) / 2, y + (h - 1) / 2), (w, h))
        self._learn(target, images)
        return target

    def step(
        self, targets: Sequence[Target], images: dict[str, Image], frames: CameraFrames, maps: bool = False
    ) -> list[Result]:
        """Find every target in the next frame: ``images`` is what ``frames`` made of it.

        A target without a picture, or with only that of a camera which never saw it, stays where it was.
        """
        assert frames.size is not None
        for target in targets:
            if frames.turn is not None:
                target.turn(frames.turn)
            if target.certain and not set(images) & set(self._scorer.known(target.seen)):
                self._learn(target, images)
        cameras = [tuple(name for name in images if name in self._scorer.known(target.seen)) for target in targets]
        results: dict[int, Result] = {}
        for used in dict.fromkeys(cameras):
            chosen = [number for number, known in enumerate(cameras) if known == used]
            group = [targets[number] for number in chosen]
            seen = {camera: images[camera] for camera in used}
            found = self._search(group, seen, frames.size, maps) if used else map(_stay, group)
            results.update(zip(chosen, found, strict=True))
        for target, used in zip(targets, cameras, strict=True):
            if target.certain:
                self._learn(target, {camera: image for camera, image in images.items() if camera not in used})
        return [results[number] for number in range(len(targets))]

    def state(self, target: Target) -> dict[str, NDArray[Any]]:
        """Everything of a target that changes from frame to frame."""
        return {**target.state(), **self._scorer.state(target.seen)}

    def restore(self, target: Target, state: Mapping[str, NDArray[Any]], picture: tuple[int, int]) -> None:
        """Let a target, learnt from the same first frame, be as when `state` was called.

        Args:
            picture: width and height of the one that it was in.

        Raises:
            ValueError: it is no such state.
        """
        target.restore(state, picture)
        self._scorer.restore(target.seen, state)
        if set(target.means) != set(self._scorer.known(target.seen)):
            raise ValueError("the cameras that learnt the target are not those that have a mean")

    def _learn(self, target: Target, images: dict[str, Image]) -> None:
        """Let the cameras of ``images`` learn the target where it is."""
        if not images:
            return
        target.means |= {camera: np.mean(image, axis=(0, 1)) for camera, image in images.items()}
        options = self.config.tracking
        side = max(1.0, float(np.round(target.context_side(options.context))))
        crops = self._crops([target], images, [side], options.exemplar)[:, 0]
        self._scorer.learn(target.seen, dict(zip(images, crops, strict=True)))

    def _search(
        self, targets: Sequence[Target], images: dict[str, Image], picture: tuple[int, int], maps: bool
    ) -> list[Result]:
        """Find targets in ``images``, whose cameras all know them, and move them there."""
        options = self.config.tracking
        exemplars = [target.context_side(options.context) for target in targets]
        scales = [options.exemplar / side for side in exemplars]
        sides = [max(1, round(side * (options.instance / options.exemplar))) for side in exemplars]
        crops = self._crops(targets, images, sides, options.instance)
        answer = self._scorer([target.seen for target in targets], tuple(images), crops, maps)
        with self.timer("post-processing"):
            chosen = self._best(answer, [target.size for target in targets], scales)
        results = []
        for number, (target, best, scale, side) in enumerate(zip(targets, chosen, scales, sides, strict=True)):
            searched = (target.center[0] - side / 2, target.center[1] - side / 2, float(side), float(side))
            target.move(best, scale, picture, options)
            result = Result(
                box=target.box,
                score=best.score,
                lost=best.score < options.lost_below,
                weights=None if answer.weights is None else tuple(answer.weights[:, number].tolist()),
                maps={name: level[:, number] for name, level in answer.maps.items()} or None,
                search_box=searched if maps else None,
                cameras=tuple(images),
            )
            results.append(result)
        return results

    def _crops(self, targets: Sequence[Target], images: dict[str, Image], sides: Sequence[float], size: int) -> Pixels:
        """(K, N, size, size, 3) squares of ``sides`` px around the targets."""
        with self.timer("cropping"):
            crops = np.empty((len(images), len(targets), size, size, 3), np.uint8)
            for row, (camera, image) in zip(crops, images.items(), strict=True):
                for number, (target, side) in enumerate(zip(targets, sides, strict=True)):
                    row[number] = crop_square(image, target.center, side, size, target.means[camera])
            return crops

    def _best(self, answer: Answer, sizes: Sequence[tuple[float, float]], scales: Sequence[float]) -> list[Best]:
        """Each target's candidate of the highest rank against its last size in crop px."""
        shape = answer.cls.shape[1] // 2, answer.cls.shape[-1]
        if shape not in self._candidates:
            self._candidates[shape] = Candidates(self.config, *shape)
        candidates = self._candidates[shape]
        sides = (np.array(sizes) * np.array(scales)[:, None]).astype(np.float32)
        # An untrained network may answer with boxes of no size, or of more px than a number can hold.
        with np.errstate(all="ignore"):
            boxes, scores = candidates.decode(answer.cls, answer.loc)
            ranked, penalties = candidates.rank(boxes, scores, sides[:, :1], sides[:, 1:])
        found = []
        for number, index in enumerate(ranked.argmax(1)):
            values = *boxes[number, :, index], scores[number, index], penalties[number, index]
            if not np.isfinite(values).all():
                raise UserError(
                    f"The network of '{self.config.name}' answers with numbers that are not finite; its weights are "
                    "damaged, or none for these pictures: fetch them again."
                )
            found.append(Best(*(float(value) for value in values)))
        return found


def _stay(target: Target) -> Result:
    """Nothing to look at: who knows where the target goes meanwhile."""
    target.certain = False
    return Result(target.box, 0.0, lost=True)
