"""A sequence as if it began at a later frame: another start for the same target."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.sequences.base import Frame, FrameSequence


class Later(FrameSequence):
    """Frames ``start``... of ``source``, numbered from 0; ``start`` 0 is the whole sequence."""

    def __init__(self, source: FrameSequence, start: int) -> None:
        info = source.info
        super().__init__(
            replace(
                info,
                length=len(source) - start,
                groundtruth=None if info.groundtruth is None else info.groundtruth[start:],
                tags={name: frames[start:] for name, frames in info.tags.items()},
                groundtruths={name: truth[start:] for name, truth in info.groundtruths.items()},
                labelled=None if info.labelled is None else info.labelled[start:],
                init=info.init if start == 0 else None,
            )
        )
        self._source, self._start = source, start

    def frame(self, index: int) -> Frame:
        return replace(self._source.frame(index + self._start), index=index)


def start_frames(truth: NDArray[np.float64], count: int, apart: int) -> list[int]:
    """Up to ``count`` frames to start from, in ascending order: the first, then about every ``apart``-th.

    Args:
        truth: (N, 4) boxes, NaN where the target is absent; a start falls on the next frame that has one.
        count, apart: at least 1. A start that would leave fewer than ``apart`` frames is left out.
    """
    present = np.flatnonzero(~np.isnan(truth).any(1))
    starts: list[int] = []
    for wanted in range(0, count * apart, apart):
        after = present[present >= wanted]
        if len(after) and len(truth) - after[0] >= apart:
            starts.append(int(after[0]))
    return sorted(set(starts)) or [int(index) for index in present[:1]]
