"""From the network's output to grey levels 0..255: of one picture, and of frames over time without flicker."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError

Grey = NDArray[np.float32]

WHITE = 255.0
SPREAD, POWER, MOST = 50.0, 0.6, 2.5
"""Standard deviation of grey levels that a picture is brought nearer to, what of the way is gone (in logarithms), and
the largest gain: what is darker or flatter than that has more noise than contrast."""
SHOULDER = 25.0
"""Levels at either end of the range that make room for those beyond it."""
TABLE = 1024
ROWS = 256

SAMPLES = 400_000
"""Pixels of a frame, on a grid, that are compared with those of the frame before: so many that their noise does not
move the mean."""
RATE = 0.02
"""What of the way to the present frame's own levels is gone in a frame."""
STILL = 10.0
"""Grey levels by which a pixel may differ from the frame before, beyond what all do, and count as static."""
ENOUGH = 0.1
"""Share of static pixels from which on the change of all is known."""
ALIKE, LEFT = 0.5, 0.35
"""Correlation with the frame before, and share of static pixels, below both of which there was a cut."""


@dataclass(frozen=True)
class Tone:
    """A straight line with shoulders: level ``middle`` becomes ``centre``, and differences from it ``gain`` as large.

    What would leave 0..255 is not cut: the last 25 levels at that end are shared with all that lies beyond, so that
    the greatest level the network can give becomes 255, the least 0, and the curve has no corner. Where nothing
    leaves the range, it is straight.
    """

    middle: float
    centre: float
    gain: float

    def __call__(self, output: Grey) -> Grey:
        """HxW of the network's output -> HxW float32 in 0..255."""
        table = np.linspace(0, WHITE, TABLE, dtype=np.float32)
        curve = _shoulder(self.gain * (table - self.middle) + self.centre, self.end(WHITE))
        curve = WHITE - _shoulder(WHITE - curve, WHITE - self.end(0))
        levels = np.empty_like(output)
        for top in range(0, len(output), ROWS):
            levels[top : top + ROWS] = np.interp(output[top : top + ROWS], table, curve)
        return levels

    def end(self, level: float) -> float:
        """Where the straight line brings a level."""
        return self.gain * (level - self.middle) + self.centre


def _shoulder(values: Grey, greatest: float) -> Grey:
    """Bend what lies above 255 - SHOULDER so that ``greatest`` becomes 255: slope 1 at the start, less and less."""
    over = greatest - (WHITE - SHOULDER)
    if greatest <= WHITE:
        return values
    beyond = np.clip((values - (WHITE - SHOULDER)) / over, 0, 1)
    bent = np.minimum(values, WHITE - SHOULDER) + SHOULDER * (1 - (1 - beyond) ** (over / SHOULDER))
    return bent.astype(np.float32)


def contrast_gain(spread: float) -> float:
    """By how much the contrast of a picture with this standard deviation is raised: 1 to MOST."""
    return float(np.clip((SPREAD / max(spread, 1e-3)) ** POWER, 1, MOST))


def tone_of(output: Grey) -> Tone:
    """The tone of one picture: it keeps the mean and raises a weak contrast."""
    mean = float(output.mean(dtype=np.float64))
    return Tone(mean, mean, contrast_gain(float(output.std(dtype=np.float64))))


def stretched(output: Grey) -> Grey:
    """The least level becomes 0, the greatest 255, others in between are truncated, as in the released code."""
    low, high = output.min(), output.max()
    if high <= low:
        return np.clip(output, 0, WHITE)
    # Divided first: the greatest level is then 255 exactly, and truncation cannot make it 254.
    return np.floor((output - low) / (high - low) * np.float32(WHITE))


def check_finite(output: Grey) -> None:
    """Raise UserError for an output that holds no numbers."""
    if not np.isfinite(output).all():
        raise UserError("The network's output is not finite; the weights are damaged or not NestFuse's.")


class LevelScale:
    """The tones of frames in their order: steady where the picture is.

    What all static pixels do together from one frame to the next, a change of mean or of contrast, is taken back at
    once: it is the cameras' exposure, gain control or coding, not the scene. The levels so kept approach those that
    the present frame would have alone by 2 % a frame, so that lasting changes of light come through in seconds.
    A cut, a frame unlike the one before, begins anew.
    """

    def __init__(self) -> None:
        self._tone: Tone | None = None
        self._last: Grey = np.zeros((0, 0), np.float32)

    def follow(self, output: Grey) -> Tone:
        """Take the next frame, HxW of the network's output, and return its tone."""
        step = max(1, round(float(np.sqrt(output.size / SAMPLES))))
        sample = output[step // 2 :: step, step // 2 :: step].copy()
        own = tone_of(sample)
        static = _static(self._last, sample)
        if self._tone is None or _is_cut(self._last, sample, static):
            self._tone = own
        else:
            steady = _without_common_change(self._tone, self._last[static], sample[static], sample.size)
            self._tone = replace(
                steady,
                centre=steady.centre + RATE * (own.end(steady.middle) - steady.centre),
                gain=steady.gain * (own.gain / steady.gain) ** RATE,
            )
        self._last = sample
        return self._tone


def _static(last: Grey, sample: Grey) -> NDArray[np.bool_]:
    """Which pixels differ from the frame before as all do."""
    if last.shape != sample.shape:
        return np.zeros(sample.shape, np.bool_)
    change = sample - last
    return np.abs(change - np.median(change)) < STILL


def _is_cut(last: Grey, sample: Grey, static: NDArray[np.bool_]) -> bool:
    if last.shape != sample.shape:
        return True
    if np.count_nonzero(static) >= LEFT * static.size:
        return False
    spread = float(last.std() * sample.std())
    return spread == 0 or float(((last - last.mean()) * (sample - sample.mean())).mean()) < ALIKE * spread


def _without_common_change(tone: Tone, before: Grey, now: Grey, size: int) -> Tone:
    """The tone that gives the static pixels, of ``size`` in all, the mean and contrast that ``tone`` gave before."""
    if now.size < ENOUGH * size:
        return tone
    spread = float(now.std())
    gain = tone.gain * float(before.std()) / spread if spread > 0 else tone.gain
    return Tone(float(now.mean()), tone.end(float(before.mean())), gain)
