"""Several starts in one sequence: further tracks of the same target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
