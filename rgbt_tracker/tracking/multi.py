"""Our tracker for several targets: one call a frame, one pass through the network for all of them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.runtime.interface import Runtime
from rgbt_tracker.tracking.cameras import CameraFrames, Image
from rgbt_tracker.tracking.interface import Result
from rgbt_tracker.tracking.loop import TrackingLoop
from rgbt_tracker.tracking.target import Target


class MultiTracker:
    """Follows any number of targets, each as a `rgbt_tracker.tracking.tracker.Tracker` of its own would.

    ``add`` every target on the frame in which it appears, then ``update`` with every further frame. Images are as that
    tracker takes them. Targets share the frames' preparation (thermal scale, laying, size) and one batch through the
    network; nothing else of theirs is shared.

    Args:
        config: names the modalities and holds the loop's settings.
        runtime: computes the configuration's network, as that of a tracker that `rgbt_tracker.build_tracker` makes.

    Example:
        >>> import numpy as np
        >>> from rgbt_tracker import MultiTracker, build_tracker
        >>> built = build_tracker("nestfuse_nanotrack", weights="untrained", device="cpu")
        >>> tracker = MultiTracker(built.config, built.runtime)
        >>> rgb, ir = np.zeros((120, 160, 3), np.uint8), np.zeros((120, 160), np.uint8)
        >>> tracker.add(rgb, ir, (20, 30, 16, 24)), tracker.add(rgb, ir, (90, 40, 20, 20))
        (1, 2)
        >>> sorted(tracker.update(rgb, ir))
        [1, 2]
    """

    def __init__(self, config: TrackerConfig, runtime: Runtime) -> None:
        self.config, self.runtime = config, runtime
        self._frames = CameraFrames(config)
        self._loop = TrackingLoop(config, runtime)
        self._targets: dict[int, Target] = {}
        self._next = 1
        # A target is added on the frame that was just looked at for the others: it is prepared once.
        self._last: tuple[ArrayLike | None, ArrayLike | None] | None = None
        self._images: dict[str, Image] = {}

    @property
    def targets(self) -> tuple[int, ...]:
        """The numbers of the targets that are followed, in the order in which they were added."""
        return tuple(self._targets)

    def add(self, rgb: ArrayLike | None, ir: ArrayLike | None, box: ArrayLike, number: int | None = None) -> int:
        """Follow another target from this frame on.

        Args:
            rgb, ir: the frame in which its box is known; the one that was just given to ``update``, or a first one.
            box: x, y, w, h in px of the visible picture.
            number: what it is called from now on; the lowest that was never used by default.

        Returns:
            Its number.

        Raises:
            UserError: a number that is in use, a box that is not four finite numbers with area inside the picture, no
                image at all, or images that do not fit the configuration's modality.
        """
        chosen = self._next if number is None else number
        if chosen in self._targets:
            raise UserError(f"Expected a number that no target has, got {chosen}; remove that one first.")
        images = self._prepared(rgb, ir)
        if self._frames.size is None:
            raise UserError("Expected a picture of the first frame from at least one camera, got None for both.")
        self._targets[chosen] = self._loop.start(images, self._frames.size, box)
        self._next = max(self._next, chosen + 1)
        return chosen

    def remove(self, number: int) -> None:
        """Follow a target no longer. Raises UserError for a number that no target has."""
        self._target(number)
        del self._targets[number]

    def relocate(self, number: int, box: ArrayLike) -> None:
        """Search around ``box`` (x, y, w, h) next, for the same target. Raises UserError as ``remove``."""
        self._target(number).relocate(*(float(value) for value in np.asarray(box, np.float64)))

    def update(self, rgb: ArrayLike | None, ir: ArrayLike | None, without: Collection[int] = ()) -> dict[int, Result]:
        """Find all targets in the next frame: number -> result.

        Args:
            rgb, ir: the frame.
            without: targets that are not looked for in this frame, since their box in it will be given by `relocate`.

        Raises:
            UserError: images that do not fit.
        """
        self._last = None
        images = self._prepared(rgb, ir)
        looked_for = {number: target for number, target in self._targets.items() if number not in without}
        if not looked_for:
            return {}
        found = self._loop.step(list(looked_for.values()), images, self._frames)
        return dict(zip(looked_for, found, strict=True))

    def _prepared(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> dict[str, Image]:
        if self._last is None or self._last[0] is not rgb or self._last[1] is not ir:
            self._images, self._last = self._frames(rgb, ir), (rgb, ir)
        return self._images

    def _target(self, number: int) -> Target:
        if number not in self._targets:
            known = ", ".join(map(str, self._targets)) or "none"
            raise UserError(f"Expected the number of a target ({known}), got {number}.")
        return self._targets[number]
