"""The pair in hand: of live cameras, the newest picture of the faster one and its nearest partner, as times come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nestfuse_core.cameras.live import Arrival

FASTER = 1.1
"""How much shorter the interval of a camera must be for it to take over the lead."""
STALLED = 2
"""Intervals without a picture after which a camera counts as slow as its silence is long."""
SLACK = 1e-6  # seconds; rounding in sums of times


@dataclass(frozen=True)
class Feed:
    """What is known of one camera at a moment.

    Attributes:
        arrivals: its newest pictures, oldest first.
        interval: usual seconds between two of them.
    """

    arrivals: Sequence[Arrival]
    interval: float

    def delayed(self, seconds: float, now: float) -> Feed:
        """The same camera as if everything came ``seconds`` later; what would not be there yet at ``now`` is left out.

        The camera that sees an instant sooner is paired so with the other one.
        """
        moved = [replace(arrival, time=arrival.time + seconds) for arrival in self.arrivals]
        return Feed([arrival for arrival in moved if arrival.time <= now + SLACK], self.interval)

    def gap(self, now: float) -> float:
        """Seconds from picture to picture: the usual interval, or the silence of a camera that has stalled."""
        if not self.arrivals:
            return float("inf")
        silence = now - self.arrivals[-1].time
        return silence if silence > STALLED * self.interval else self.interval

    def nearest(self, time: float) -> Arrival | None:
        """The picture nearest in time."""
        return min(self.arrivals, key=lambda arrival: abs(arrival.time - time), default=None)


class NewestPairs:
    """Pairs of two live cameras (or pictures of one), each newer than the one before.

    The camera that delivers faster leads: each pair has its newest picture. The partner is the picture of the other
    camera nearest in time; one that is further away than ``tolerance``, the usual interval of the slower camera, is
    none. Where a nearer partner is due within half of the leader's interval, it is waited for: so two cameras of equal
    rate are at most half an interval apart, and the leader keeps its rate.

    Args:
        cameras: the first leads as long as the second is not faster.
    """

    def __init__(self, cameras: Sequence[str]) -> None:
        self.lead = cameras[0]
        self._after = float("-inf")

    def next(self, feeds: Mapping[str, Feed], now: float) -> dict[str, Arrival] | None:
        """Return the pair in hand, or None where it is not newer than the last, or a nearer partner is due.

        Args:
            feeds: of every camera, in common time.
            now: seconds, not before that of the last call.
        """
        self._choose_lead(feeds, now)
        lead = feeds[self.lead]
        fresh = [arrival for arrival in lead.arrivals if arrival.time > self._after]
        if not fresh:
            return None
        others = [camera for camera in feeds if camera != self.lead]
        if not others:
            return self._taken(fresh[-1])
        other = feeds[others[0]]
        if self._partner_is_due(fresh[-1].time, lead, other, now):
            return None
        tolerance = max(lead.interval, other.interval)
        for arrival in reversed(fresh):
            partner = other.nearest(arrival.time)
            if partner is not None and abs(partner.time - arrival.time) <= tolerance:
                return self._taken(arrival) | {others[0]: partner}
        return self._taken(fresh[-1])

    def _taken(self, arrival: Arrival) -> dict[str, Arrival]:
        self._after = arrival.time
        return {self.lead: arrival}

    def _choose_lead(self, feeds: Mapping[str, Feed], now: float) -> None:
        gaps = {camera: feed.gap(now) for camera, feed in feeds.items()}
        fastest = min(gaps, key=lambda camera: gaps[camera])
        if gaps[fastest] * FASTER < gaps[self.lead]:
            self.lead = fastest

    @staticmethod
    def _partner_is_due(time: float, lead: Feed, other: Feed, now: float) -> bool:
        """Whether the other camera's next picture is expected nearer to ``time``, and soon enough to wait for it."""
        patience = time + lead.interval / 2
        if not other.arrivals or now >= patience:
            return False
        last = other.arrivals[-1].time
        due = max(last + other.interval, now)
        # One that is overdue by an interval is not expected any more.
        stalled = now > last + STALLED * other.interval
        return not stalled and due <= patience and due - time < time - last
