"""Visual information fidelity in the wavelet domain (Sheikh and Bovik, IEEE TIP 15(2), 2006)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.metrics.steerable import steerable_bands

Array = NDArray[np.float64]

LEVELS = 4
BLOCK = 3
NOISE = 0.4
# Variances below this are taken for zero, as in the released code.
TINY = 1e-15
# Below this side the coarsest level holds no block away from the border.
SMALLEST = 65


def visual_information_fidelity(references: list[Array], distorted: Array) -> list[float]:
    """VIF of ``distorted`` for each reference: information it keeps over information the reference holds.

    Four levels of the sp5 pyramid, bands 0 and 3 of each, 3x3 blocks, noise variance 0.4. The model is meant for pixel
    values 0..255; on [0, 1], as the paper used it, the noise outweighs all but strong edges.

    Args:
        references: HxW each, H and W >= 65.
        distorted: HxW, same value range.

    Returns:
        One value per reference, 1 for an identical image; 1 as well for a reference without any detail.
    """
    test_bands = steerable_bands(distorted, LEVELS)
    return [_fidelity(steerable_bands(reference, LEVELS), test_bands) for reference in references]


def _fidelity(reference: list[tuple[Array, Array]], distorted: list[tuple[Array, Array]]) -> float:
    kept, held = 0.0, 0.0
    for level, (originals, tests) in enumerate(zip(reference, distorted, strict=True)):
        window = 2 ** (LEVELS - level) + 1
        for original, test in zip(originals, tests, strict=True):
            numerator, denominator = _band_information(_whole_blocks(original), _whole_blocks(test), window)
            kept += numerator
            held += denominator
    return kept / held if held > 0 else 1.0


def _whole_blocks(band: Array) -> Array:
    height, width = (side // BLOCK * BLOCK for side in band.shape)
    return np.ascontiguousarray(band[:height, :width])


def _band_information(original: Array, test: Array, window: int) -> tuple[float, float]:
    """Information in bits that ``test`` keeps of ``original``, and that ``original`` holds, away from the border."""
    gain, noise = _channel(original, test, window)
    strength, eigenvalues = _source_model(original)
    margin = -(-(window // 2) // BLOCK)
    inner = (slice(margin, gain.shape[0] - margin), slice(margin, gain.shape[1] - margin))
    gain, noise, strength = gain[inner], noise[inner], strength[inner]
    signal = strength[..., None] * eigenvalues
    kept = np.log2(1 + (gain**2 / (noise + NOISE))[..., None] * signal).sum()
    return float(kept), float(np.log2(1 + signal / NOISE).sum())


def _channel(original: Array, test: Array, window: int) -> tuple[Array, Array]:
    """Local regression test = gain * original + noise at the centre of every block: gain >= 0 and noise variance."""
    centre = slice(BLOCK // 2, None, BLOCK)

    def mean(values: Array) -> Array:
        blurred = cv2.boxFilter(values, cv2.CV_64F, (window, window), borderType=cv2.BORDER_REFLECT_101)
        return blurred[centre, centre].astype(np.float64, copy=False)

    mean_o, mean_t = mean(original), mean(test)
    count = window * window
    covariance = count * (mean(original * test) - mean_o * mean_t)
    energy_o = np.maximum(count * (mean(original**2) - mean_o**2), 0)
    energy_t = np.maximum(count * (mean(test**2) - mean_t**2), 0)
    gain = covariance / (energy_o + TINY)
    noise = (energy_t - gain * covariance) / count
    # The order of these corrections, and that two of them use the energy instead of the variance, follow the
    # released code.
    flat_o, flat_t = energy_o < TINY, energy_t < TINY
    gain[flat_o] = 0
    noise[flat_o] = energy_t[flat_o]
    gain[flat_t] = 0
    noise[flat_t] = 0
    negative = gain < 0
    noise[negative] = energy_t[negative]
    gain[negative] = 0
    return gain, np.maximum(noise, TINY)


def _source_model(band: Array) -> tuple[Array, Array]:
    """Gaussian scale mixture of the 3x3 blocks: local strength s^2 per block, and eigenvalues of their covariance."""
    height, width = band.shape[0] - BLOCK + 1, band.shape[1] - BLOCK + 1
    vectors = np.stack([band[y : y + height, x : x + width].ravel() for x in range(BLOCK) for y in range(BLOCK)])
    centred = vectors - vectors.mean(axis=1, keepdims=True)
    covariance = centred @ centred.T / centred.shape[1]
    blocks = np.stack([band[y::BLOCK, x::BLOCK] for x in range(BLOCK) for y in range(BLOCK)])
    inverse = np.linalg.pinv(covariance, hermitian=True)
    strength = np.einsum("iyx,ij,jyx->yx", blocks, inverse, blocks, optimize=True) / BLOCK**2
    return strength, np.maximum(np.linalg.eigvalsh(covariance), 0)
