"""Readers of RGB-thermal sequences."""

from rgbt_tracker.sequences.base import Frame, Sequence, SequenceInfo

__all__ = ["Frame", "Sequence", "SequenceInfo"]
