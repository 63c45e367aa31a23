"""Plain ways to fuse two grey pictures, to compare with: functions of HxW float32 in 0..255 twice -> HxW in 0..255."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pywt
from numpy.typing import NDArray

Grey = NDArray[np.float32]

LEVELS = 4
WAVELET = "db2"
SALIENCE = 5.0
"""Sigma of the Gaussian that averages the magnitude of details (Li, Kang, Hu, 2013)."""
SIDE = 31
"""Of the mean that is the base layer."""
GUIDES = ((45, 0.3), (7, 1e-6))
"""Radius and epsilon (on [0, 1]) of the guided filter for base and detail layer."""


def mean(ir: Grey, vis: Grey) -> Grey:
    """The mean of both."""
    return (ir + vis) / np.float32(2)


def maximum(ir: Grey, vis: Grey) -> Grey:
    """The greater of both, pixel by pixel."""
    return np.maximum(ir, vis)


def laplacian_pyramid(ir: Grey, vis: Grey) -> Grey:
    """Details of each level from the source where they are larger, the coarsest picture as the mean (Burt, Adelson)."""
    pyramids = [_pyramid(image) for image in (ir, vis)]
    result = mean(pyramids[0][-1], pyramids[1][-1])
    for a, b in zip(pyramids[0][-2::-1], pyramids[1][-2::-1], strict=True):
        result = np.asarray(cv2.pyrUp(result, dstsize=(a.shape[1], a.shape[0])), np.float32) + _larger(a, b)
    return _cut(result)


def wavelet(ir: Grey, vis: Grey) -> Grey:
    """Wavelet coefficients from the source where they are larger, the approximation as the mean."""
    levels = min(LEVELS, pywt.dwt_max_level(min(ir.shape), WAVELET))
    a, b = (pywt.wavedec2(image, WAVELET, level=levels) for image in (ir, vis))
    details = [tuple(map(_larger, one, other)) for one, other in zip(a[1:], b[1:], strict=True)]
    whole = pywt.waverec2([(a[0] + b[0]) / 2, *details], WAVELET)
    return _cut(whole[: ir.shape[0], : ir.shape[1]])


def guided_filter(ir: Grey, vis: Grey) -> Grey:
    """Base and detail layers, each mixed by where a source is salient, refined by a guided filter (Li, Kang, Hu, 2013).

    "Image fusion with guided filtering" (IEEE TIP 22(7)): base layer by a 31x31 mean; salience is the blurred magnitude
    of the Laplacian; the winner's map is smoothed with the source itself as guide.
    """
    sources = [image / np.float32(255) for image in (ir, vis)]
    salience = [cv2.GaussianBlur(np.abs(cv2.Laplacian(image, cv2.CV_32F)), (11, 11), SALIENCE) for image in sources]
    wins = [(salience[k] >= salience[1 - k]).astype(np.float32) for k in (0, 1)]
    bases = [np.asarray(cv2.blur(image, (SIDE, SIDE)), np.float32) for image in sources]
    layers = (bases, [image - base for image, base in zip(sources, bases, strict=True)])
    result = np.zeros_like(ir)
    for layer, (radius, epsilon) in zip(layers, GUIDES, strict=True):
        weights = [guided(win, image, radius, epsilon) for win, image in zip(wins, sources, strict=True)]
        total = np.maximum(weights[0] + weights[1], 1e-6)
        result += (weights[0] * layer[0] + weights[1] * layer[1]) / total
    return _cut(255 * result)


def guided(image: Grey, guide: Grey, radius: int, epsilon: float) -> Grey:
    """The guided filter (He, Sun, Tang, ECCV 2010): ``image`` smoothed along the edges of ``guide``; HxW in [0, 1].

    Windows of 2 radius + 1 pixels a side; the picture is reflected at its border.
    """

    def average(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return cv2.blur(values, (2 * radius + 1, 2 * radius + 1)).astype(np.float64, copy=False)

    p, i = image.astype(np.float64), guide.astype(np.float64)
    mean_i, mean_p = average(i), average(p)
    slope = (average(i * p) - mean_i * mean_p) / (average(i * i) - mean_i**2 + epsilon)
    offset = mean_p - slope * mean_i
    return (average(slope) * i + average(offset)).clip(0, 1).astype(np.float32)


BASELINES: dict[str, Callable[[Grey, Grey], Grey]] = {
    "mean": mean,
    "maximum": maximum,
    "Laplacian pyramid": laplacian_pyramid,
    "wavelet": wavelet,
    "guided filter": guided_filter,
}
"""By the name of their row in tables."""


def _pyramid(image: Grey) -> list[Grey]:
    """Details of every level, fine to coarse, and the coarsest picture."""
    levels = []
    for _ in range(LEVELS):
        if min(image.shape) < 4:
            break
        small = cv2.pyrDown(image)
        levels.append(image - cv2.pyrUp(small, dstsize=(image.shape[1], image.shape[0])))
        image = np.asarray(small, np.float32)
    return [*levels, image]


def _larger(a: Grey, b: Grey) -> Grey:
    return np.where(np.abs(a) >= np.abs(b), a, b)


def _cut(image: Grey) -> Grey:
    return np.clip(image, 0, 255).astype(np.float32, copy=False)
