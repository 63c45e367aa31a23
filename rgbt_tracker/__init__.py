"""RGB-thermal tracking: SiamRPN++ and NanoTrack with NestFuse feature fusion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nestfuse_core.common.lazy import lazy_exports

if TYPE_CHECKING:
    from rgbt_tracker.api import build_tracker
    from rgbt_tracker.config import load_config
    from rgbt_tracker.locate import open_sequence
    from rgbt_tracker.sequences import open_pair
    from rgbt_tracker.tracking.interface import Result
    from rgbt_tracker.tracking.multi import MultiTracker
    from rgbt_tracker.tracking.run import track_sequence
    from rgbt_tracker.tracking.tracker import Tracker

__version__ = "0.1.0"

__all__ = [
    "MultiTracker", "Result", "Tracker", "build_tracker", "load_config", "open_pair", "open_sequence", "track_sequence",
]  # fmt: skip

__getattr__ = lazy_exports(
    __name__,
    {
        "MultiTracker": "tracking.multi",
        "Result": "tracking.interface",
        "Tracker": "tracking.tracker",
        "build_tracker": "api",
        "load_config": "config",
        "open_pair": "sequences",
        "open_sequence": "locate",
        "track_sequence": "tracking.run",
    },
)
