"""Structural similarity as MATLAB's ``ssim`` computes it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def similarity_map(a: Array, b: Array) -> Array:
    """SSIM at every pixel (Wang et al., IEEE TIP 2004), HxW.

    11-tap Gaussian window with sigma 1.5, K1 = 0.01, K2 = 0.03, dynamic range 1, borders replicated.

    Args:
        a, b: HxW in [0, 1].
    """

    def mean(image: Array) -> Array:
        return cv2.GaussianBlur(image, (11, 11), 1.5, borderType=cv2.BORDER_REPLICATE).astype(np.float64, copy=False)

    c1, c2 = 0.01**2, 0.03**2
    mean_a, mean_b = mean(a), mean(b)
    product = mean_a * mean_b
    squares = mean_a**2 + mean_b**2
    variances = mean(a * a) + mean(b * b) - squares
    covariance = mean(a * b) - product
    return ((2 * product + c1) * (2 * covariance + c2)) / ((squares + c1) * (variances + c2))


def structural_similarity(a: Array, b: Array) -> float:
    """Mean of the full SSIM map."""
    return float(similarity_map(a, b).mean())
