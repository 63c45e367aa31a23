"""How far the clocks of two cameras are apart, from what moves in both pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.cameras.pairing import Times, usual_interval
from nestfuse_core.common.pictures import Image
from nestfuse_core.fusion.thermal import as_grey, needs_scaling, robust_range, to_grey_levels
from nestfuse_core.rig.features import View, warped
from nestfuse_core.rig.file import Rig, Size, between

WIDTH = 160
"""Of the pictures whose differences are taken, px."""
CELLS = (8, 6)
"""Parts of the picture whose motion is followed, across and down."""
SLOW = 0.5
"""Standard deviation in seconds of the average that is taken away: what changes more slowly tells no time."""
REACH = 2.5
"""Largest offset tried by default, seconds."""
LEAST_COMMON = 0.4
"""Share of the shorter recording that an offset must leave in common."""
CLEAR = 3.5
"""So many standard deviations must the best offset's correlation stand above those far from it."""
LEAST = 0.2
"""Correlation that the best offset must have."""
RIVAL = 0.7
"""Correlation of the best offset elsewhere over the best one's, from which on neither is believed."""
NEAR = 0.25
"""Seconds around the best offset that are no other one."""


@dataclass
class Motion:
    """How much moves in each part of one camera's picture.

    Attributes:
        times: (N,) seconds by the camera's clock.
        energy: (N, cells) grey levels of difference to the picture before, 0 in the first.
    """

    times: Times
    energy: NDArray[np.float32]


@dataclass(frozen=True)
class Offset:
    """What was found: thermal clock minus visible clock in seconds, and what speaks for it.

    Attributes:
        clearness: standard deviations by which its correlation stands above those of other offsets.
        rival: the best other correlation over the best one.
        correlation: 0 to 1.
        why_not: empty where the answer is sure, else why it is not.
    """

    seconds: float
    correlation: float
    clearness: float
    rival: float
    why_not: str = ""


def motion_of(pictures: Iterable[Image], times: Times, camera: str, rig: Rig | None, visible: Size) -> Motion:
    """Follow the motion in a recording.

    Args:
        pictures: its frames in order.
        times: (N,) of each, seconds.
        camera: "rgb" or "ir".
        rig: lays thermal pictures on visible ones; without one they are stretched over them.
        visible: width and height of the visible pictures.
    """
    size = WIDTH, max(1, round(WIDTH * visible[1] / visible[0]))
    rows: list[NDArray[np.float32]] = []
    before, limits = None, (0.0, 255.0)
    for index, image in enumerate(pictures):
        grey = as_grey(image)
        if index == 0 and needs_scaling(image):
            # One range for the whole recording: a range of its own for each picture would look like motion.
            limits = robust_range([grey])
        view = View(to_grey_levels(grey, limits)[..., None], np.ones(grey.shape, np.bool_))
        own = (rig or Rig()).matrix(visible, view.size) if camera == "ir" else np.eye(3)
        small = warped(view, between(visible, size) @ own, size)
        plane = cv2.GaussianBlur(np.where(small.valid, small.planes.mean(2), 0).astype(np.float32), (0, 0), 1.0)
        if before is None:
            rows.append(np.zeros(CELLS[0] * CELLS[1], np.float32))
        else:
            rows.append(cv2.resize(np.abs(plane - before), CELLS, interpolation=cv2.INTER_AREA).ravel())
        before = plane
    return Motion(np.asarray(times, np.float64)[: len(rows)], np.stack(rows))


def find_offset(visible: Motion, thermal: Motion, reach: float = REACH, placed: bool = True) -> Offset:
    """The offset at which motion in both pictures goes up and down together.

    Motion in each part of the picture (its logarithm, without what changes slowly) is correlated over time for every
    offset up to ``reach``; the parts' covariances are added up, and the whole picture's too.

    Args:
        visible, thermal: of both cameras.
        reach: seconds.
        placed: whether the parts of both are the same parts of the scene; else the whole pictures count alone.
    """
    step = min(usual_interval(visible.times), usual_interval(thermal.times)) / 2
    own, other = (_regular(motion, step, placed) for motion in (visible, thermal))
    lags = np.arange(-int(reach / step), int(reach / step) + 1)
    # The grids begin at each camera's own first frame, and a lag is counted from clocks that begin together.
    begin = thermal.times[0] - visible.times[0]
    centre = round(begin / step)
    curve = np.array([_correlation(own, other, int(lag) - centre) for lag in lags])
    best = int(np.nanargmax(np.nan_to_num(curve, nan=-1)))
    seconds = (lags[best] + _vertex(curve, best)) * step + (begin - centre * step)
    return _judged(curve, lags, best, step, float(seconds))


def _judged(curve: NDArray[np.float64], lags: NDArray, best: int, step: float, seconds: float) -> Offset:
    known = np.isfinite(curve)
    far = known & (np.abs(lags - lags[best]) * step > NEAR)
    if not known.any() or far.sum() < 10:
        return Offset(seconds, 0.0, 0.0, 1.0, "the recordings are too short, or have too little in common")
    top, others = float(curve[best]), curve[far]
    spread = 1.4826 * float(np.median(np.abs(others - np.median(others)))) + 1e-9
    clearness, rival = (top - float(np.median(others))) / spread, float(others.max()) / max(top, 1e-9)
    why = ""
    if top < LEAST or clearness < CLEAR:
        why = "too little moves in both pictures at the same time"
    elif rival > RIVAL:
        place = float(lags[far][int(others.argmax())] * step)
        why = f"an offset of {place:.2f} s explains what moves nearly as well as {seconds:.2f} s"
    elif best in (0, len(lags) - 1):
        why = "the best offset is the largest that was tried"
    return Offset(seconds, top, clearness, rival, why)


def _regular(motion: Motion, step: float, placed: bool) -> NDArray[np.float64]:
    """(cells, N) at regular times from the first frame on, without what changes slowly, each part of one strength."""
    from scipy import ndimage

    since = motion.times - motion.times[0]
    grid = np.arange(0, since[-1] + step / 2, step)
    energy = np.log1p(motion.energy[1:])
    whole = energy.mean(1, keepdims=True)
    series = np.concatenate([energy, whole], 1) if placed else whole
    rows = np.stack([np.interp(grid, since[1:], column) for column in series.T])
    rows -= ndimage.gaussian_filter1d(rows, SLOW / step, axis=1, mode="nearest")
    rows = ndimage.gaussian_filter1d(rows, 1.0, axis=1, mode="nearest")
    # Between all parts alike and each by what moves in it: a part in which nothing moves has noise alone.
    return rows / (np.sqrt(rows.std(1, keepdims=True)) + 1e-6)


def _correlation(own: NDArray, other: NDArray, lag: int) -> float:
    """Of ``own`` at t and ``other`` at t + lag, over what both have, times the root of its share; NaN for too little.

    A short part agrees more easily by chance: the root makes all correlations of one standard deviation.
    """
    start, stop = max(0, -lag), min(own.shape[1], other.shape[1] - lag)
    share = (stop - start) / min(own.shape[1], other.shape[1])
    if share < LEAST_COMMON or stop - start < 8:
        return float("nan")
    first, second = own[:, start:stop], other[:, start + lag : stop + lag]
    first, second = (part - part.mean(1, keepdims=True) for part in (first, second))
    energy = np.sqrt((first**2).sum() * (second**2).sum() + 1e-12)
    return float((first * second).sum() / energy * np.sqrt(share))


def _vertex(curve: NDArray[np.float64], best: int) -> float:
    """Where a parabola through the best value and its neighbours is highest, -0.5 to 0.5 steps from it."""
    if best in (0, len(curve) - 1) or not np.isfinite(curve[best - 1 : best + 2]).all():
        return 0.0
    before, top, after = curve[best - 1 : best + 2]
    bend = before - 2 * top + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0
