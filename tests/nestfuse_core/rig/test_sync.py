"""The offset of two clocks from what moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestfuse_core.rig.sync import Motion, find_offset, motion_of


def motions(offset: float, rates: tuple[float, float], seed: int = 0, seconds: float = 6.0) -> list[Motion]:
    """Two cameras that see the same bursts in 48 parts of the picture; the second one's clock is ahead."""
    rng = np.random.default_rng(seed)
    begin, part = rng.uniform(-3, seconds + 3, 160), rng.integers(0, 48, 160)

    def energy(times: np.ndarray, noise: np.random.Generator) -> np.ndarray:
        each = np.exp(-0.5 * ((times[:, None] - begin) / 0.12) ** 2)
        whole = 20 * each @ (part[:, None] == np.arange(48)) + noise.exponential(0.3, (len(times), 48))
        return whole.astype(np.float32)

    visible, thermal = (np.arange(0, seconds, 1 / rate) for rate in rates)
    return [
        Motion(visible, energy(visible, np.random.default_rng(1))),
        Motion(thermal + offset, energy(thermal, np.random.default_rng(2))),
    ]


@settings(max_examples=12, deadline=None)
@given(st.floats(-1, 1), st.sampled_from([(30.0, 30.0), (30.0, 9.0), (25.0, 50.0)]), st.booleans())
def test_the_offset_is_found_within_a_frame(offset, rates, placed):
    found = find_offset(*motions(offset, rates), placed=placed)
    assert abs(found.seconds - offset) < 1 / 30
    if placed:
        assert not found.why_not


def test_clocks_that_begin_elsewhere():
    visible, thermal = motions(0.4, (30.0, 30.0))
    since = Motion(thermal.times + 0.9, thermal.energy)
    assert find_offset(visible, since).seconds == pytest.approx(1.3, abs=1 / 30)


def test_what_does_not_move_together_is_said():
    visible, _ = motions(0.0, (30.0, 30.0))
    _, other = motions(0.0, (30.0, 30.0), seed=9)
    assert find_offset(visible, other).why_not
    still = Motion(visible.times, np.random.default_rng(0).exponential(0.3, visible.energy.shape).astype(np.float32))
    assert find_offset(still, other).why_not


def test_motion_is_where_it_is():
    pictures = [np.full((120, 160, 3), 40, np.uint8) for _ in range(4)]
    for index, picture in enumerate(pictures):
        picture[20:40, 10 + 12 * index : 25 + 12 * index] = 220
    motion = motion_of(pictures, np.arange(4) / 10, "rgb", None, (160, 120))
    moved = motion.energy.max(0).reshape(6, 8)
    assert motion.energy[0].max() == 0 and moved[1, 0] > 5 and moved[3:].max() < 0.1
