"""What is known of the network without torch: its scales, and the ratio of its attention."""

from __future__ import annotations

from typing import Any

CHANNELS = (64, 112, 160, 208)
"""Channels of the features at full, half, quarter and eighth resolution."""
SCALES = len(CHANNELS)
EPSILON = 1e-5
"""Added to the denominator of every ratio, as in the released code."""


def ratios(statistics: Any) -> Any:
    """P_k / sum_i P_i over the first axis (Eq. 9) of non-negative statistics, an array of NumPy or a tensor.

    EPSILON keeps silent places finite.
    """
    return statistics / (statistics.sum(0) + EPSILON)
