"""The discrete Meyer wavelet ``dmey`` in MATLAB's length, 102 taps; PyWavelets' own has 62.

The Meyer low-pass filter has the frequency response (Daubechies, Ten Lectures on Wavelets, section 5.2)

    H(w) = sqrt(2)                                 |w| <= pi/3
         = sqrt(2) cos(pi/2 nu(3 |w| / pi - 1))    pi/3 <= |w| <= 2 pi/3
         = 0                                       beyond,
    nu(a) = a^4 (35 - 84 a + 70 a^2 - 20 a^3).

MATLAB keeps the impulse response at n = -50..50, appends a zero to reach an even length and scales the sum to sqrt(2).
Sampled this way, the taps agree with the listing of MATLAB's that circulates in other toolboxes to better than 1e-10.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pywt
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError

HALF_WIDTH = 50
# Frequencies at which H is sampled; the aliasing of the impulse response is below 1e-12 at this density.
SAMPLES = 4096


def meyer_lowpass() -> NDArray[np.float64]:
    """Return the 102 taps of the reconstruction low-pass filter, the last of them zero."""
    frequency = 2 * np.pi * np.fft.rfftfreq(SAMPLES)
    a = np.clip(3 * frequency / np.pi - 1, 0, 1)
    nu = a**4 * (35 - 84 * a + 70 * a**2 - 20 * a**3)
    impulse = np.fft.irfft(np.cos(np.pi / 2 * nu))
    taps = np.concatenate([impulse[-HALF_WIDTH:], impulse[: HALF_WIDTH + 1], [0.0]])
    return taps * np.sqrt(2) / taps.sum()


@cache
def discrete_meyer(taps: int) -> pywt.Wavelet:
    """Return ``dmey`` with 102 taps (MATLAB) or 62 (PyWavelets).

    Raises:
        UserError: any other number of taps.
    """
    if taps == 62:
        return pywt.Wavelet("dmey")
    if taps != 102:
        raise UserError(f"Expected 102 taps (MATLAB's dmey) or 62 (PyWavelets'), got {taps}.")
    low = meyer_lowpass()
    return pywt.Wavelet("dmey102", filter_bank=pywt.orthogonal_filter_bank(low))
