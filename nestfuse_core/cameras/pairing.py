"""Which frames of two cameras belong together, by the times they were taken or by position. Arrays only, no files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
Indices = NDArray[np.intp]

NONE = -1
"""Index of a frame that is not there."""
GAP = 1.5
"""An interval longer than this many usual ones is a gap."""
FASTER = 1.1
"""So much more often must the thermal camera deliver to lead: equal cameras differ by their clocks."""
ROUNDING = 1e-6
"""Seconds that stamps are apart by rounding alone: doubles since 1970 hold a quarter of it."""
ALONE = 0.5
"""Tolerance in seconds where each camera has one frame and no interval tells it."""


@dataclass(frozen=True)
class Pairing:
    """Frames of a sequence of two cameras, in order of time.

    Attributes:
        rgb, ir: (N,) index of the picture in its own source, -1 where that camera has none.
        time: (N,) seconds since the first frame, by the visible camera's clock; None where nothing has times.
        leader: the camera, "rgb" or "ir", whose every frame is there.
        difference: the most that two partners are apart, seconds; NaN without partners or times.
        tolerance: what they may be apart.
        before, after: frames of the other camera that lie before the leader's first, and are left out, and after its
            last; of a pairing by position those that the longer camera has more.
    """

    rgb: Indices
    ir: Indices
    time: Times | None
    leader: str = "rgb"
    difference: float = float("nan")
    tolerance: float = float("nan")
    before: int = 0
    after: int = 0

    def __len__(self) -> int:
        return len(self.rgb)

    @property
    def both(self) -> int:
        """Number of frames that have pictures of both cameras."""
        return int(((self.rgb != NONE) & (self.ir != NONE)).sum())


def usual_interval(times: Times) -> float:
    """The median of the intervals between frames, seconds; NaN for a single frame."""
    return float(np.median(np.diff(times))) if len(times) > 1 else float("nan")


def usual_rate(times: Times) -> float | None:
    """Frames a second where there is no gap; None for a single frame.

    A mean, since the median of stamps that are rounded to milliseconds is 16 or 17 ms at 60 frames a second.
    """
    intervals = np.diff(times)
    usual = intervals[intervals <= GAP * usual_interval(times)]
    return float(1 / usual.mean()) if usual.sum() > 0 else None


def default_tolerance(rgb: Times, ir: Times) -> float:
    """Half of the slower camera's usual interval.

    Its longest interval that is no gap counts: stamps are rounded (to milliseconds in Matroska) and cameras jitter, and
    a frame in the middle of such an interval is not without partner.
    """
    several = [times for times in (rgb, ir) if len(times) > 1]
    if not several:
        return ALONE
    slower = max(several, key=usual_interval)
    intervals = np.diff(slower)
    return float(intervals[intervals <= GAP * usual_interval(slower)].max()) / 2


def nearest(times: Times, wanted: Times) -> Indices:
    """Index of the time nearest to each wanted one, the earlier of two equally near; ``times`` ascending, not empty."""
    after = np.searchsorted(times, wanted).clip(1, max(len(times) - 1, 1))
    before = after - 1
    after = after.clip(max=len(times) - 1)
    return np.where(times[after] - wanted < wanted - times[before], after, before)


def leader_of(rgb: Times, ir: Times) -> str:
    """The camera that delivers more often; the visible one where both do alike."""
    return "ir" if usual_interval(ir) * FASTER < usual_interval(rgb) else "rgb"


def pair_by_time(
    rgb: Times,
    ir: Times,
    offset: float = 0.0,
    tolerance: float | None = None,
    leader: str | None = None,
    bridge: bool = True,
) -> Pairing:
    """Give every frame of the leader the nearest frame of the other camera that is within the tolerance, or none.

    A picture of the slower camera is the partner of several frames. Frames of the other camera that no frame of the
    leader is near become frames of their own, so that each camera bridges the other's gaps; those before the leader's
    first frame are left out: the target's first box is of that one.

    Args:
        rgb, ir: times of the frames in seconds by each camera's clock, ascending, at least one.
        offset: what the thermal clock shows minus what the visible one shows at the same instant.
        tolerance: what partners may be apart, seconds; by default `default_tolerance`.
        leader: by default the faster camera (`leader_of`).
        bridge: False leaves all frames without one of the leader out.
    """
    leader = leader or leader_of(rgb, ir)
    limit = default_tolerance(rgb, ir) if tolerance is None else tolerance
    # Small numbers first: since 1970 a double has a quarter of a microsecond.
    base = float(rgb[0])
    visible, thermal = rgb - base, ir - offset - base
    lead, other = (visible, thermal) if leader == "rgb" else (thermal, visible)
    partner = nearest(other, lead)
    apart = np.abs(other[partner] - lead)
    near = apart <= limit + ROUNDING
    alone = np.abs(lead[nearest(lead, other)] - other) > limit + ROUNDING
    extra = np.flatnonzero(alone & (other >= lead[0])) if bridge else np.empty(0, np.intp)
    time = np.concatenate([lead, other[extra]])
    order = np.argsort(time, kind="stable")
    own = np.concatenate([np.arange(len(lead)), np.full(len(extra), NONE)])[order]
    others = np.concatenate([np.where(near, partner, NONE), extra])[order]
    return Pairing(
        rgb=own if leader == "rgb" else others,
        ir=others if leader == "rgb" else own,
        time=time[order] - time[order][0],
        leader=leader,
        difference=float(apart[near].max()) if near.any() else float("nan"),
        tolerance=limit,
        before=int((alone & (other < lead[0])).sum()),
        after=int((alone & (other > lead[-1])).sum()),
    )


def pair_by_position(rgb: int, ir: int, time: Times | None = None) -> Pairing:
    """First with first; what one camera has more at its end is left out.

    Args:
        rgb, ir: numbers of frames.
        time: of the visible frames or the thermal ones, if any are known.
    """
    count = min(rgb, ir)
    order = np.arange(count)
    return Pairing(order, order.copy(), None if time is None else time[:count] - time[0], after=max(rgb, ir) - count)


def one_camera(camera: str, count: int, time: Times | None = None) -> Pairing:
    """The frames of one camera alone."""
    own, none = np.arange(count), np.full(count, NONE)
    rgb, ir = (own, none) if camera == "rgb" else (none, own)
    return Pairing(rgb, ir, None if time is None else time - time[0], leader=camera)
