"""How much detail a fused picture has, and how much of its sources' edges: SF, AG and Qabf.

None of them is the NestFuse paper's; newer papers print them. Images are HxW float64 in [0, 1], SF and AG are in grey
levels of 0..255.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WHITE = 255.0
SOBEL = np.array([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]])
ROUNDING = 1e-6
STRENGTH = (0.9994, -15.0, 0.5)
ORIENTATION = (0.9879, -22.0, 0.8)
"""Gamma, kappa and sigma of the sigmoids that tell how well an edge's strength and orientation are kept."""


def spatial_frequency(image: Array) -> float:
    """SF = sqrt(RF^2 + CF^2): root mean squares of horizontal and vertical differences (Eskicioglu, Fisher, 1995)."""
    rows, columns = np.diff(image, axis=1), np.diff(image, axis=0)
    return WHITE * float(np.sqrt((rows**2).mean() + (columns**2).mean()))


def average_gradient(image: Array) -> float:
    """AG = mean of sqrt((dx^2 + dy^2) / 2), forward differences, without the last row and column (Cui et al., 2015)."""
    dx, dy = image[:-1, 1:] - image[:-1, :-1], image[1:, :-1] - image[:-1, :-1]
    return WHITE * float(np.sqrt((dx**2 + dy**2) / 2).mean())


def edge_preservation(a: Array, b: Array, fused: Array) -> float:
    """Qabf: how much of the edges' strength and orientation is kept, weighted by the sources' edge strengths.

    Xydeas and Petrovic, "Objective image fusion performance measure" (Electronics Letters 36(4), 2000), Sobel edges
    with zeros beyond the border, as in the common MATLAB code, weights g^1. 1 for pictures without an edge.
    """
    edges = [_edges(WHITE * image) for image in (a, b, fused)]
    kept = [_kept(source, edges[2]) * source[0] for source in edges[:2]]
    total = float(edges[0][0].sum() + edges[1][0].sum())
    return float(kept[0].sum() + kept[1].sum()) / total if total > 0 else 1.0


def _edges(image: Array) -> tuple[Array, Array]:
    """Strength of the Sobel gradient, and its orientation in -pi/2..pi/2, pi/2 where it has no x part."""
    x, y = (cv2.filter2D(image, cv2.CV_64F, kernel, borderType=cv2.BORDER_CONSTANT) for kernel in (SOBEL.T, SOBEL))
    # What rounding leaves of no gradient at all must not decide the sign of the orientation.
    x[np.abs(x) < ROUNDING] = 0
    angle = np.arctan(np.divide(y, x, out=np.zeros_like(x), where=x != 0))
    return np.hypot(x, y), np.where(x == 0, np.pi / 2, angle)


def _kept(source: tuple[Array, Array], fused: tuple[Array, Array]) -> Array:
    low, high = np.minimum(source[0], fused[0]), np.maximum(source[0], fused[0])
    ratio = np.divide(low, high, out=np.zeros_like(low), where=high > 0)
    alike = 1 - np.abs(source[1] - fused[1]) / (np.pi / 2)
    return _sigmoid(ratio, *STRENGTH) * _sigmoid(alike, *ORIENTATION)


def _sigmoid(x: Array, gamma: float, kappa: float, sigma: float) -> Array:
    return gamma / (1 + np.exp(kappa * (x - sigma)))
