"""RGB-thermal tracking: SiamRPN++ and NanoTrack with NestFuse feature fusion."""

from rgbt_tracker.api import build_tracker

__all__ = ["build_tracker"]
