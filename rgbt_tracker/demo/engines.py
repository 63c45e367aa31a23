"""The models behind the demo, loaded when they are first asked for and shared by all sessions."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.fusion.looks import DEFAULT, find_look
from rgbt_tracker.config import Modality
from rgbt_tracker.sequences.base import Frame

if TYPE_CHECKING:
    from nestfuse_core.fusion.fuser import VideoFuser
    from nestfuse_core.runtime.interface import Runtime
    from rgbt_tracker.tracking.multi import MultiTracker
    from rgbt_tracker.tracking.tracker import Tracker


class TrackerFactory:
    """Makes trackers of one configuration for any modality; the networks are built once each.

    Args:
        config, weights, device, runtime: as for `rgbt_tracker.build_tracker`.
    """

    def __init__(self, config: str, weights: str | os.PathLike[str] | None, device: str, runtime: str = "auto") -> None:
        self.config, self.weights, self.device, self.runtime = config, weights, device, runtime
        self._built: dict[Modality, Tracker] = {}
        self._lock = threading.Lock()

    def __call__(self, modality: Modality) -> MultiTracker:
        """Return a new tracker without a target.

        Raises:
            UserError: the configuration or its weights cannot be had.
        """
        from rgbt_tracker import build_tracker
        from rgbt_tracker.tracking.multi import MultiTracker

        with self._lock:
            if modality not in self._built:
                self._built[modality] = build_tracker(self.config, self.weights, self.device, modality, self.runtime)
        built = self._built[modality]
        return MultiTracker(built.config, built.runtime)


class FrameFuser:
    """Fuses frames with NestFuse.

    Args:
        weights: a file or the folder of an export, or None for those of the look.
        look: how the pictures look (`nestfuse_core.fusion.looks`).
        device, runtime: as for `nestfuse_core.open_runtime`.
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        look: str = DEFAULT,
        runtime: str = "auto",
    ) -> None:
        self.weights, self.device, self.look, self.runtime = weights, device, find_look(look), runtime
        self._opened: Runtime | None = None
        self._lock = threading.Lock()

    def __call__(self, frame: Frame, strategy: str, running: dict[str, VideoFuser]) -> NDArray[np.generic]:
        """Return the fused picture, in the visible image's size and colour.

        Args:
            frame: of one pair of cameras.
            strategy: channel attention.
            running: what fuses this pair's frames, by strategy; one that is not there yet is added.
        """
        from nestfuse_core.fusion.fuser import Fuser
        from nestfuse_core.runtime.choose import open_runtime

        if frame.rgb is None or frame.ir is None:
            raise UserError("Fusion needs a visible and a thermal image of the same moment.")
        with self._lock:
            if self._opened is None:
                self._opened = open_runtime(self.weights or self.look.weights, self.device, self.runtime)
            if strategy not in running:
                running[strategy] = Fuser(self._opened, strategy, self.look).video()
            return running[strategy](frame.ir, frame.rgb).image
