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
    from nestfuse_core.model.network import NestFuse
    from rgbt_tracker.tracking.multi import MultiTracker
    from rgbt_tracker.tracking.tracker import Tracker


class TrackerFactory:
    """Makes trackers of one configuration for any modality; the networks are built once each.

    Args:
        config, weights, device: as for `rgbt_tracker.build_tracker`.
    """

    def __init__(self, config: str, weights: str | os.PathLike[str] | None, device: str) -> None:
        self.config, self.weights, self.device = config, weights, device
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
                self._built[modality] = build_tracker(self.config, self.weights, self.device, modality)
        built = self._built[modality]
        return MultiTracker(built.config, built.runtime)


class FrameFuser:
    """Fuses frames with NestFuse.

    Args:
        weights: a file, or None for those of the look.
        look: how the pictures look (`nestfuse_core.fusion.looks`).
    """

    def __init__(self, weights: str | os.PathLike[str] | None = None, device: str = "cpu", look: str = DEFAULT) -> None:
        self.weights, self.device, self.look = weights, device, find_look(look)
        self._network: NestFuse | None = None
        self._lock = threading.Lock()

    def __call__(self, frame: Frame, strategy: str, running: dict[str, VideoFuser]) -> NDArray[np.generic]:
        """Return the fused picture, in the visible image's size and colour.

        Args:
            frame: of one pair of cameras.
            strategy: channel attention.
            running: what fuses this pair's frames, by strategy; one that is not there yet is added.
        """
        from nestfuse_core.common.devices import select_device
        from nestfuse_core.fusion.fuser import Fuser
        from nestfuse_core.model.network import load_network

        if frame.rgb is None or frame.ir is None:
            raise UserError("Fusion needs a visible and a thermal image of the same moment.")
        with self._lock:
            if self._network is None:
                self._network = load_network(self.weights or self.look.weights, select_device(self.device))
            if strategy not in running:
                running[strategy] = Fuser(self._network, strategy, self.look).video()
            return running[strategy](frame.ir, frame.rgb).image
