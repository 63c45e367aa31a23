"""The pair in hand, against a search over everything that had arrived by then."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestfuse_core.cameras.live import HELD, Arrival
from nestfuse_core.cameras.newest import SLACK, Feed, NewestPairs

PICTURE = np.zeros((1, 1), np.uint8)
LOOK = 0.02


@dataclass
class Camera:
    """One that delivers at the given times, and lets the pairing see them ``delay`` seconds later."""

    times: list[float]
    interval: float
    delay: float = 0.0

    def arrivals(self, first: int, until: float) -> list[Arrival]:
        """Its pictures from number ``first`` to those that came at ``until``."""
        return [Arrival(k, self.times[k], PICTURE) for k in range(max(0, first), bisect_right(self.times, until))]

    def seen(self, now: float) -> list[float]:
        """When everything that has arrived did so, in common time."""
        return [time + self.delay for time in self.times[: bisect_right(self.times, now - self.delay + SLACK)]]

    def feed(self, now: float) -> Feed:
        """What `LiveCamera.held` would hold."""
        before = bisect_right(self.times, now - self.delay)
        return Feed(self.arrivals(before - HELD, now + SLACK), self.interval).delayed(self.delay, now)


@dataclass
class Given:
    """A pair that was given out, the moment, the leader, and what had been given before."""

    pair: dict[str, Arrival]
    now: float
    lead: str
    last: float

    @property
    def apart(self) -> float:
        times = [arrival.time for arrival in self.pair.values()]
        return max(times) - min(times)


def camera(rate: float, phase: float, jitter: float = 0.0, seconds: float = 2.0, delay: float = 0.0, seed: int = 0):
    """A camera whose pictures come up to ``jitter`` intervals late."""
    count = int(seconds * rate)
    late = np.random.default_rng(seed).uniform(0, jitter, count)
    return Camera(((np.arange(count) + phase + late) / rate).tolist(), 1 / rate, delay)


def watch(cameras: dict[str, Camera], work: float = 0.0, seconds: float = 2.2) -> list[Given]:
    """What a consumer gets that takes ``work`` seconds a pair."""
    pairs, given_out, now, last = NewestPairs(list(cameras)), [], 0.0, float("-inf")
    moments = sorted({time + delay for one in cameras.values() for time in one.times for delay in (0.0, one.delay)})
    while now < seconds:
        pair = pairs.next({name: one.feed(now) for name, one in cameras.items()}, now)
        if pair is None:
            upcoming = bisect_right(moments, now)
            now = min([now + LOOK, *moments[upcoming : upcoming + 1]])
        else:
            given_out.append(Given(pair, now, pairs.lead, last))
            last = pair[pairs.lead].time
            now += work
    return given_out


def check(cameras: dict[str, Camera], given_out: list[Given]) -> None:
    """Every pair against all that had arrived: newer than the last, the newest possible, its partner the nearest."""
    tolerance = max(one.interval for one in cameras.values())
    for case in given_out:
        lead = case.pair[case.lead]
        other = next(name for name in cameras if name != case.lead)
        partners = cameras[other].seen(case.now)
        assert lead.time > case.last
        distances = [abs(time - lead.time) for time in partners]
        if other in case.pair:
            assert abs(case.pair[other].time - lead.time) == min(distances) <= tolerance
        else:
            assert not distances or min(distances) > tolerance
        for newer in (time for time in cameras[case.lead].seen(case.now) if time > lead.time):
            assert other in case.pair, "without a partner, it is the newest"
            assert min(abs(time - newer) for time in partners) > tolerance


rates = st.sampled_from([5.0, 9.0, 15.0, 25.0, 29.97, 30.0, 60.0])
share = st.floats(0, 0.99)


@settings(deadline=None, max_examples=50)
@given(rates, rates, share, share, st.floats(0, 0.9), st.sampled_from([0.0, 0.005, 0.03, 0.2]), st.floats(-0.3, 0.3))
def test_every_pair_is_what_a_search_finds(
    rgb: float, ir: float, first: float, second: float, jitter: float, work: float, offset: float
) -> None:
    delays = {"rgb": max(offset, 0.0), "ir": max(-offset, 0.0)}
    cameras = {
        "rgb": camera(rgb, first, jitter, delay=delays["rgb"], seed=1),
        "ir": camera(ir, second, jitter, delay=delays["ir"], seed=2),
    }
    given_out = watch(cameras, work)
    assert len(given_out) > 5
    check(cameras, given_out)


@settings(deadline=None, max_examples=20)
@given(share, share, st.sampled_from([0.0, 0.01, 0.05, 0.15]))
def test_30_and_9_are_never_an_interval_of_the_slower_apart(first: float, second: float, work: float) -> None:
    cameras = {"rgb": camera(30, first, 0.1, seed=1), "ir": camera(9, second, 0.1, seed=2)}
    given_out = [case for case in watch(cameras, work) if 0.2 < case.now < 1.8]
    assert all(case.lead == "rgb" and len(case.pair) == 2 for case in given_out)
    assert max(case.apart for case in given_out) <= 1 / 9


@settings(deadline=None, max_examples=20)
@given(share, share)
def test_the_faster_keeps_its_rate_and_equal_ones_are_half_an_interval_apart(first: float, second: float) -> None:
    for slow, furthest in ((9.0, 1 / 9), (30.0, 1 / 60)):
        cameras = {"rgb": camera(slow, first), "ir": camera(30, second)}
        given_out = [case for case in watch(cameras) if 0.2 < case.now < 1.8]
        assert max(case.apart for case in given_out) <= furthest + 1e-6
        assert abs(len(given_out) - 1.6 * 30) <= 2
        assert slow == 30 or {case.lead for case in given_out} == {"ir"}


def test_the_other_leads_while_the_leader_is_away() -> None:
    rgb = camera(30, 0.0, seconds=4)
    rgb.times = [time for time in rgb.times if not 1.0 < time < 2.0]
    cameras = {"rgb": rgb, "ir": camera(9, 0.5, seconds=4)}
    given_out = watch(cameras, seconds=4)
    check(cameras, given_out)
    away = [case for case in given_out if 1.3 < case.now < 1.99]
    assert 5 <= len(away) <= 7 and all(set(case.pair) == {"ir"} for case in away)
    assert all(set(case.pair) == {"rgb", "ir"} for case in given_out if case.now > 2.2)
    assert {case.lead for case in given_out if case.now > 2.2} == {"rgb"}


def test_the_leader_goes_on_alone_while_the_other_is_away() -> None:
    ir = camera(9, 0.5, seconds=4)
    ir.times = [time for time in ir.times if not 1.0 < time < 2.0]
    given_out = watch({"rgb": camera(30, 0.0, seconds=4), "ir": ir}, seconds=4)
    away = [case for case in given_out if 1.2 < case.now < 1.9]
    assert len(away) == pytest.approx(21, abs=1) and all(set(case.pair) == {"rgb"} for case in away)


def test_one_camera() -> None:
    given_out = watch({"ir": camera(25, 0.0)})
    assert [case.pair["ir"].index for case in given_out] == list(range(50))
