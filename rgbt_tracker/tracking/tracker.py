"""Our tracker: one target, one call a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import Box
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.timing import Timer
from rgbt_tracker.runtime.interface import Runtime
from rgbt_tracker.tracking.cameras import CameraFrames
from rgbt_tracker.tracking.interface import Result
from rgbt_tracker.tracking.loop import TrackingLoop
from rgbt_tracker.tracking.target import Target


class Tracker:
    """Follows one target: ``initialize`` on its box, then ``update`` with every further frame.

    Images are HxWx3 or HxW uint8 (thermal also 16-bit), BGR; None for a modality that the configuration does not use.

    With two cameras either may be None in any frame; the other goes on alone, as the tracker of that camera would. A
    camera that had no picture of the first frame learns the target from the first of its pictures in which the other
    is certain of it: a centre inside the picture, edges excluded, and a score of ``CERTAIN`` or more; any score serves
    in the ``EARLY`` frames after the one whose box was given (`rgbt_tracker.tracking.target`). It takes part from the
    next frame on; where it is the only one there, at once, at the place of the frame before. Boxes are px of the
    visible picture, of the last one while it is missing. As long as there was none they are px of the thermal picture,
    and the target is moved into the visible one's when that appears.

    Args:
        config: names the modalities and holds the loop's settings.
        runtime: computes the configuration's network; `rgbt_tracker.build_tracker` chooses one.

    Attributes:
        record_maps: whether results hold the fusion's weight maps.
    """

    def __init__(self, config: TrackerConfig, runtime: Runtime) -> None:
        self.config, self.runtime = config, runtime
        self.record_maps = False
        self._frames = CameraFrames(config)
        self._loop = TrackingLoop(config, runtime)
        self._target: Target | None = None

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
        self._target = self._loop.start(images, self._frames.size, box)

    def update(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> Result:
        """Find the target in the next frame.

        Where there is no picture of it, or only that of a camera which never saw the target, the target stays where it
        was: the result has the last box, score 0 and no ``cameras``, and is lost.

        Raises:
            UserError: called before ``initialize``, or images that do not fit.
        """
        target = self._present_target()
        return self._loop.step([target], self._frames(rgb, ir), self._frames, self.record_maps)[0]

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that changes from frame to frame, exact to the bit; see `restore`.

        Raises:
            UserError: called before ``initialize``.
        """
        return {**self._loop.state(self._present_target()), **self._frames.state()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from where `state` was called, after ``initialize`` on the same first frame and box.

        Raises:
            UserError: called before ``initialize``.
            ValueError: it is no state of this tracker; it must be initialised again.
        """
        target = self._present_target()
        self._frames.restore(state)
        assert self._frames.size is not None
        self._loop.restore(target, state, self._frames.size)

    @property
    def device(self) -> str:
        """Where the network is computed."""
        return self.runtime.device

    @property
    def timer(self) -> Timer:
        """Of the loop's sections; a network in torch has its own."""
        return self._loop.timer

    @timer.setter
    def timer(self, timer: Timer) -> None:
        self._loop.timer = timer

    @property
    def target(self) -> Box:
        """The target as it was last seen: cx, cy, w, h in px. Raises UserError before ``initialize``."""
        target = self._present_target()
        return (*target.center, *target.size)

    def relocate(self, box: ArrayLike) -> None:
        """Search around ``box`` (x, y, w, h) next, for the same target: its template and the gate's memory stay."""
        self._present_target().relocate(*(float(value) for value in np.asarray(box, np.float64)))

    def _present_target(self) -> Target:
        if self._target is None:
            raise UserError("There is no target yet: call initialize(rgb, ir, box) with the first frame before update.")
        return self._target
