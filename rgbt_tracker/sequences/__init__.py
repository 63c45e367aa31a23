"""Readers of RGB-thermal sequences."""

from rgbt_tracker.box_files import read_boxes
from rgbt_tracker.frames import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.sequences.folders import open_folder
from rgbt_tracker.sequences.locate import find, list_sequences, open_sequence
from rgbt_tracker.sequences.pairs import open_pair
from rgbt_tracker.sequences.prefetch import prefetch

__all__ = [
    "Frame",
    "FrameSequence",
    "SequenceInfo",
    "find",
    "list_sequences",
    "open_folder",
    "open_pair",
    "open_sequence",
    "prefetch",
    "read_boxes",
]
