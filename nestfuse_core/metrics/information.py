"""Entropy, deviation and mutual information of grey levels. Images are HxW float64 in [0, 1]."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEVELS = 256


def grey_levels(image: Array) -> NDArray[np.intp]:
    """Return the histogram bin 0..255 of every pixel, binned as MATLAB's ``imhist`` does: round(255 v)."""
    return np.floor(image * (LEVELS - 1) + 0.5).astype(np.intp)


def _entropy_of_counts(counts: NDArray[np.intp]) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum()) + 0.0


def entropy(image: Array) -> float:
    """En = -sum p log2 p over the 256-bin histogram, in bits."""
    return _entropy_of_counts(np.bincount(grey_levels(image).ravel(), minlength=LEVELS))


def root_sum_of_squares(image: Array) -> float:
    """The paper's SD: sqrt(sum (F - mean)^2), without 1/N, so it grows with the image's size."""
    return float(np.sqrt(((image - image.mean()) ** 2).sum()))


def mutual_information(a: Array, b: Array) -> float:
    """I(A; B) = H(A) + H(B) - H(A, B) of the 256-level images, in bits."""
    joint = np.bincount((grey_levels(a) * LEVELS + grey_levels(b)).ravel(), minlength=LEVELS * LEVELS)
    return entropy(a) + entropy(b) - _entropy_of_counts(joint)
