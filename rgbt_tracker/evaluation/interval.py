"""The range of sequence lengths over which a dataset averages its EAO curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def evaluation_interval(lengths: ArrayLike, mass: float = 0.5) -> tuple[int, int, int]:
    """EAO interval of a dataset from its sequence lengths: (low, high, peak), 1-based frames.

    The density of lengths is a Gaussian kernel estimate with Kristan's plug-in bandwidth (Kristan, Leonardis, Skočaj,
    "Multivariate online kernel density estimation with Gaussian kernels", Pattern Recognition 2011); the interval grows
    from its peak to the side of higher density until it holds ``mass``.
    """
    samples = np.asarray(lengths, dtype=np.float64)
    grid = np.arange(1, int(samples.max()) + 1)
    deviations = (grid[:, None] - samples[None]) / (samples.std() * _bandwidth(samples))
    density = np.exp(-0.5 * deviations**2).sum(axis=1)
    density /= density.sum()
    low = high = peak = int(density.argmax())
    last = len(density) - 1
    while density[low : high + 1].sum() < mass and (low > 0 or high < last):
        # The MATLAB toolkit treats the last bin as the border.
        grow_left = high + 1 >= last or (low > 0 and density[low - 1] > density[high + 1])
        low, high = (low - 1, high) if grow_left and low > 0 else (low, min(high + 1, last))
    return low + 1, high + 1, peak + 1


def _bandwidth(samples: NDArray[np.float64]) -> float:
    """Kernel width in standard deviations: (N sqrt(4 pi) R)^(-1/5), R = integral of the squared curvature."""
    count = len(samples)
    standard = (samples - samples.mean()) / samples.std()
    precision = (4.0 / (3.0 * count)) ** (-2.0 / 5.0)  # of the pilot estimate
    m = precision * (standard[:, None] - standard[None]) ** 2
    terms = np.sqrt(precision / (2 * np.pi)) * np.exp(-0.5 * m) * precision**2 * (2 * (1 - 2 * m) + (1 - m) ** 2)
    return float((count * np.sqrt(4 * np.pi) * terms.mean()) ** (-1.0 / 5.0))
