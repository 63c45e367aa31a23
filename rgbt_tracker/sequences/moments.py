"""A few moments of a sequence at which both cameras have a picture."""

from __future__ import annotations

import numpy as np

from nestfuse_core.common.errors import UserError
from rgbt_tracker.sequences.base import Frame, FrameSequence

APART = 0.5
"""Seconds between the moments that are taken of live cameras."""


def picked(sequence: FrameSequence, count: int) -> list[Frame]:
    """Return up to ``count`` frames with both pictures: spread over a recording, half a second apart of live cameras.

    Raises:
        UserError: one camera alone, or no moment with both.
    """
    if len(sequence.cameras) < 2:
        raise UserError(f"Expected two cameras to lay on each other, but '{sequence.info.source}' has one.")
    found = _live(sequence, count) if sequence.live else _recorded(sequence, count)
    if not found:
        raise UserError(f"No frame of '{sequence.info.source}' has pictures of both cameras.")
    return found


def _recorded(sequence: FrameSequence, count: int) -> list[Frame]:
    """From the middle of equal stretches; a stretch whose middle lacks a camera gives none."""
    length = len(sequence)
    places = np.unique(((np.arange(count) + 0.5) * length / count).astype(int)).tolist()
    for some in (places, [sequence.first_of_both()]):
        frames = [sequence.frame(place) for place in some]
        if both := [frame for frame in frames if frame.rgb is not None and frame.ir is not None]:
            return both
    return []


def _live(sequence: FrameSequence, count: int) -> list[Frame]:
    found: list[Frame] = []
    for frame in sequence:
        due = not found or frame.time is None or frame.time - (found[-1].time or 0.0) >= APART
        if due and frame.rgb is not None and frame.ir is not None:
            found.append(frame)
        if len(found) == count:
            break
    return found
