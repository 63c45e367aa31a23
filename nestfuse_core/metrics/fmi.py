"""Feature mutual information (Haghighat, Aghagolzadeh, Seyedarabi, CEE 2011; fast form, AICT 2014).

Every 3x3 window of a feature map becomes a distribution over its nine positions, scanned column by column. The joint
distribution of two windows is a mix of the independent one and the extreme one with the same margins (Fréchet bound),

    J = phi D + (1 - phi) q p^T,     phi = c s_p s_q / cov_D(I, J),

where D is the upper bound's mass if the windows' Pearson correlation c is >= 0 and the lower bound's otherwise, and
s_p, s_q are the standard deviations of position. The released code writes D as second differences of the bound on the
distribution functions, and cov_D as sum(M - Q P^T): the same by Hoeffding's identity. D needs no differences at all:
its entry (i, j) is the length that the intervals [Q_(i-1), Q_i] and [P_(j-1), P_j] have in common, with the second
mirrored about 1/2 for the lower bound.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pywt
from numpy.typing import NDArray
from scipy.fft import dctn

from nestfuse_core.metrics.meyer import discrete_meyer

Array = NDArray[np.float64]

# Windows handled at once: 81 joint probabilities each, small enough to stay in a core's cache.
CHUNK = 1024
# Added before a logarithm: makes that of 0 finite and leaves every other probability as it is.
SMALL = 1e-300
POSITION = np.arange(1.0, 10.0)[:, None]


class Windows(NamedTuple):
    """Distributions over the nine positions of N windows, and what each needs on its own.

    Attributes:
        values: (9, N) raw feature values.
        p: (9, N) probabilities.
        entropy: (N,) in bits.
        mean, deviation: (N,) of the position 1..9 under p.
    """

    values: Array
    p: Array
    entropy: Array
    mean: Array
    deviation: Array


def dct_feature(image: Array) -> Array:
    """Whole-image orthonormal DCT-II, HxW."""
    return dctn(image, norm="ortho")


def wavelet_feature(image: Array, taps: int = 102) -> Array:
    """One-level DWT with ``dmey`` and symmetric borders, laid out as [cA cH; cV cD], scaled to [0, 1]."""
    approximation, (horizontal, vertical, diagonal) = pywt.dwt2(image, discrete_meyer(taps), mode="symmetric")
    layout = np.block([[approximation, horizontal], [vertical, diagonal]])
    span = np.ptp(layout)
    return (layout - layout.min()) / span if span else np.zeros_like(layout)


def feature_mutual_information(a: Array, b: Array, fused: Array) -> float:
    """Mean over both sources and all windows of 2 (H_p + H_q - H_J) / (H_p + H_q).

    Args:
        a, b, fused: feature maps of the two sources and of the fused image, HxW, at least 3x3.
    """
    return float(score_maps([a, b], fused).mean())


def score_maps(sources: list[Array], fused: Array) -> Array:
    """Normalised mutual information of every 3x3 window with each source, (sources, H - 2, W - 2)."""
    windows, fused_windows = [_windows(source) for source in sources], _windows(fused)
    scores = np.empty((len(sources), fused_windows.shape[1]))
    for start in range(0, scores.shape[1], CHUNK):
        part = slice(start, start + CHUNK)
        f = _distributions(fused_windows[:, part])
        for index, source in enumerate(windows):
            scores[index, part] = _scores(_distributions(source[:, part]), f)
    return scores.reshape(-1, fused.shape[0] - 2, fused.shape[1] - 2)


def _windows(feature: Array) -> Array:
    """All 3x3 windows as (9, N), positions in column-major order."""
    height, width = feature.shape[0] - 2, feature.shape[1] - 2
    return np.stack(
        [feature[row : row + height, column : column + width].ravel() for column in range(3) for row in range(3)]
    )


def _distributions(values: Array) -> Windows:
    low, span = values.min(axis=0), np.ptp(values, axis=0)
    flat = span == 0
    p = np.where(flat, 1.0, (values - low) / np.where(flat, 1.0, span))
    p /= p.sum(axis=0)
    mean = (POSITION * p).sum(axis=0)
    deviation = np.sqrt(((POSITION - mean) ** 2 * p).sum(axis=0))
    return Windows(values, p, _entropy(p), mean, deviation)


def _entropy(x: Array) -> Array:
    """-sum x log2 |x| over all axes but the last, a zero counting for nothing; (..., N) -> (N,)."""
    logarithm = np.abs(x)
    logarithm += SMALL
    np.log2(logarithm, out=logarithm)
    logarithm *= x
    return -logarithm.reshape(-1, x.shape[-1]).sum(axis=0)


def _correlation(p: Array, q: Array) -> Array:
    """Pearson correlation over the nine positions, 0 where a window is flat; (9, N) twice -> (N,)."""
    p, q = p - p.mean(axis=0), q - q.mean(axis=0)
    scale = np.sqrt((p * p).sum(axis=0) * (q * q).sum(axis=0))
    return np.divide((p * q).sum(axis=0), scale, out=np.zeros_like(scale), where=scale > 0)


def _extreme_coupling(p: Array, q: Array, upper: NDArray[np.bool_]) -> Array:
    """Mass of the Fréchet bound's distribution, (9, 9, N): the upper bound where ``upper``, else the lower."""
    p_end, q_end = np.cumsum(p, axis=0), np.cumsum(q, axis=0)
    p_start, q_start = p_end - p, q_end - q
    p_start, p_end = np.where(upper, p_start, 1 - p_end), np.where(upper, p_end, 1 - p_start)
    common = np.minimum(q_end[:, None], p_end)
    common -= np.maximum(q_start[:, None], p_start)
    return np.maximum(common, 0, out=common)


def _scores(a: Windows, f: Windows) -> Array:
    correlation = _correlation(a.p, f.p)
    coupling = _extreme_coupling(a.p, f.p, correlation >= 0)
    covariance = np.einsum("in,ijn,jn->n", POSITION - f.mean, coupling, POSITION - a.mean)
    spread = correlation * a.deviation * f.deviation
    phi = np.divide(spread, covariance, out=np.zeros_like(spread), where=covariance != 0)
    joint = coupling
    joint *= phi
    joint += ((1 - phi) * f.p)[:, None] * a.p
    total = a.entropy + f.entropy
    scores = np.divide(2 * (total - _entropy(joint)), total, out=np.zeros_like(total), where=total > 0)
    return np.where((a.values == f.values).all(axis=0), 1.0, scores)
