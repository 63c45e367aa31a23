"""Readers of RGB-thermal sequences."""

from rgbt_tracker.box_files import read_boxes
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.sequences.folders import open_folder
from rgbt_tracker.sequences.pairs import open_pair
from rgbt_tracker.sequences.prefetch import prefetch

__all__ = [
    "Frame",
    "FrameSequence",
    "SequenceInfo",
    "open_folder",
    "open_pair",
    "prefetch",
    "read_boxes",
]
