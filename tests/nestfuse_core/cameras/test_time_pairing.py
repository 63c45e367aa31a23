"""Pairing by nearest time against a search through all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.cameras.pairing import (
    NONE,
    ROUNDING,
    default_tolerance,
    leader_of,
    nearest,
    pair_by_position,
    pair_by_time,
    usual_interval,
    usual_rate,
)


@st.composite
def clocks(draw) -> np.ndarray:
    """Times of a camera: a rate, jitter, gaps, any start (also since 1970), rounded to milliseconds or not."""
    count, rate = draw(st.integers(1, 60)), draw(st.sampled_from([1.0, 7.5, 9.0, 25.0, 30000 / 1001, 30.0, 60.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    times = np.arange(count) / rate + rng.uniform(-1, 1, count) * draw(st.sampled_from([0, 0.1, 0.3])) / rate
    kept = np.ones(count, bool)
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, count))
        kept[start : start + draw(st.integers(1, 20))] = False
    kept[draw(st.integers(0, count - 1))] = True
    times = np.sort(times[kept]) + draw(st.sampled_from([0.0, 0.7, -3.25, 1_700_000_000.0]))
    return np.round(times, 3) if draw(st.booleans()) else times


offsets = st.sampled_from([0.0, 0.02, -0.5, 2.0])


@st.composite
def cameras(draw) -> tuple[np.ndarray, np.ndarray, float]:
    """Both cameras' times, near each other by the offset, and the offset."""
    rgb, ir, offset = draw(clocks()), draw(clocks()), draw(offsets)
    return rgb, ir - ir[0] + rgb[0] + offset + draw(st.sampled_from([0.0, 0.3, -0.3])), offset


@given(cameras(), st.sampled_from([None, "rgb", "ir"]), st.sampled_from([None, 0.01, 0.2]), st.booleans())
def test_every_frame_has_the_nearest_partner_that_a_search_finds(given_clocks, leader, tolerance, bridge):
    rgb, ir, offset = given_clocks
    found = pair_by_time(rgb, ir, offset, tolerance, leader, bridge)
    limit = default_tolerance(rgb, ir) if tolerance is None else tolerance
    assert found.tolerance == limit and found.leader == (leader or leader_of(rgb, ir))
    visible, thermal = rgb - rgb[0], ir - offset - rgb[0]
    own, others = (visible, thermal) if found.leader == "rgb" else (thermal, visible)
    lead, other = (found.rgb, found.ir) if found.leader == "rgb" else (found.ir, found.rgb)
    assert lead[lead != NONE].tolist() == list(range(len(own))), "every frame of the leader, once, in order"
    worst = -1.0
    for place, partner in zip(lead, other, strict=True):
        if place == NONE:
            continue
        apart = [abs(time - own[place]) for time in others]
        if min(apart) <= limit + ROUNDING:
            assert partner != NONE and apart[partner] == min(apart)
            worst = max(worst, min(apart))
        else:
            assert partner == NONE
    assert found.difference == worst or (worst < 0 and np.isnan(found.difference))
    assert found.both == int(((lead != NONE) & (other != NONE)).sum())
    alone = [i for i, time in enumerate(others) if min(abs(own - time)) > limit + ROUNDING]
    bridged = [i for i in alone if others[i] >= own[0]] if bridge else []
    assert other[lead == NONE].tolist() == bridged, "what lies in the leader's gaps and after it, once, in order"
    assert found.before == sum(others[i] < own[0] for i in alone)
    assert found.after == sum(others[i] > own[-1] for i in alone)
    assert found.time is not None and found.time[0] == 0 and (np.diff(found.time) >= 0).all()
    stamps = [own[p] if p != NONE else others[o] for p, o in zip(lead, other, strict=True)]
    np.testing.assert_array_equal(found.time, np.array(stamps) - stamps[0])


@given(cameras())
def test_the_offset_moves_the_thermal_clock(given_clocks):
    rgb, ir, _ = given_clocks
    # By a power of two, so that the moved times are exact.
    one, other = pair_by_time(rgb - rgb[0], ir - ir[0], 0.0), pair_by_time(rgb - rgb[0], ir - ir[0] + 64, 64.0)
    if (ir - ir[0] + 64 - 64 == ir - ir[0]).all():
        assert one.rgb.tolist() == other.rgb.tolist() and one.ir.tolist() == other.ir.tolist()


@given(clocks(), st.lists(st.floats(-5, 5), min_size=1, max_size=20))
def test_nearest_is_the_least_difference(times, wanted):
    times, targets = times - times[0], np.array(wanted)
    for index, target in zip(nearest(times, targets), targets, strict=True):
        assert abs(times[index] - target) == np.abs(times - target).min()


def test_two_rates():
    found = pair_by_time(np.arange(90) / 30, np.arange(27) / 9)
    assert found.leader == "rgb" and len(found) == 90 and found.difference == pytest.approx(1 / 18)
    assert found.ir[:8].tolist() == [0, 0, 1, 1, 1, 1, 2, 2]
    assert found.ir[-2:].tolist() == [26, NONE], "78 ms after the last thermal frame"
    assert leader_of(np.arange(27) / 9, np.arange(90) / 30) == "ir"
    assert leader_of(np.arange(90) / 30, np.arange(90) / 30.3) == "rgb", "clocks alone do not make a camera faster"


def test_rounded_stamps_leave_no_frame_without_partner():
    thermal = np.round(np.arange(24) / 9, 3)  # intervals of 111 and 112 ms, as Matroska stores them
    found = pair_by_time(np.round(np.arange(79) / 30, 3), thermal)
    assert found.both == len(found) == 79
    jittering = np.cumsum([0.0, *([0.1, 0.12] * 10)])
    assert default_tolerance(np.arange(60) / 30, jittering) == pytest.approx(0.06)
    with_a_gap = np.append(jittering, jittering[-1] + 3)
    assert default_tolerance(np.arange(60) / 30, with_a_gap) == pytest.approx(0.06), "a gap is not usual"


def test_each_camera_bridges_the_others_gap():
    times = np.arange(90) / 30
    rgb, ir = np.delete(times, slice(10, 20)), np.delete(times, slice(40, 70))
    found = pair_by_time(rgb, ir)
    assert len(found) == 90 and found.both == 50
    assert found.time is not None
    np.testing.assert_allclose(found.time, times)
    assert (found.rgb[10:20] == NONE).all() and found.ir[10:20].tolist() == list(range(10, 20))
    assert (found.ir[40:70] == NONE).all() and found.ir[70] == 40


def test_frames_before_the_leaders_first_are_left_out():
    found = pair_by_time(np.arange(10) / 10 + 1, np.arange(40) / 10)
    assert found.ir.tolist() == list(range(10, 40)) and found.before == 10 and found.after == 20
    assert found.rgb[:11].tolist() == [*range(10), NONE]


def test_single_frames():
    one = np.array([5.0])
    assert np.isnan(usual_interval(one))
    assert pair_by_time(one, one + 0.4).both == 1 and pair_by_time(one, one + 0.6).both == 0
    assert pair_by_time(one, np.arange(100) / 10).both == 1


def test_by_position():
    found = pair_by_position(5, 3, np.array([2.0, 3.0, 5.0, 8.0, 9.0]))
    assert found.rgb.tolist() == found.ir.tolist() == [0, 1, 2] and found.after == 2
    assert found.time is not None and found.time.tolist() == [0, 1, 3]


@pytest.mark.parametrize("rate", [1.0, 9.0, 30000 / 1001, 30.0, 60.0])
def test_the_usual_rate_knows_no_gaps(rate):
    times = np.arange(200) / rate
    for told in (times, np.round(times, 3), np.delete(times, slice(50, 90))):
        assert usual_rate(told) == pytest.approx(rate, rel=2e-3)
    assert usual_rate(times[:1]) is None
