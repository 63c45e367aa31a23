"""Grey levels of fused pictures: contrast, shoulders, and frames over time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from nestfuse_core.fusion import levels
from nestfuse_core.fusion.levels import LevelScale, Tone, tone_of


def scene(seed: int = 0, spread: float = 20, mean: float = 110, size: tuple[int, int] = (60, 80)) -> np.ndarray:
    """A picture of blocks, so that neighbours are alike, with some mean and deviation; HxW float32."""
    blocks = np.random.default_rng(seed).standard_normal((size[0] // 4, size[1] // 4))
    picture = np.kron(blocks, np.ones((4, 4)))
    return (mean + spread * (picture - picture.mean()) / picture.std()).astype(np.float32)


@given(st.floats(0, 255), st.floats(0, 255), st.floats(0.5, 4))
def test_a_tone_rises_from_black_to_white_without_a_corner(middle, centre, gain):
    tone = Tone(middle, centre, gain)
    ramp = np.linspace(0, 255, 2041, dtype=np.float32)[None]
    curve = tone(ramp)[0]
    assert curve.min() >= -1e-3 and curve.max() <= 255.001
    slope = np.diff(curve) / np.diff(ramp[0])
    assert slope.min() >= -1e-3 and slope.max() <= gain + 0.02
    # Where the line stays inside the range, and away from the shoulders, nothing is bent.
    line = gain * (ramp[0] - middle) + centre
    straight = (line > 26) & (line < 229)
    np.testing.assert_allclose(curve[straight], line[straight], atol=0.02 * gain)
    if tone.end(255) >= 256:
        assert curve[-1] == pytest.approx(255, abs=0.01)
    if tone.end(255) <= 255 and tone.end(0) >= 0:
        np.testing.assert_allclose(curve, line, atol=0.02)


def test_a_weak_contrast_is_raised_and_a_strong_one_left():
    weak, strong = scene(spread=12), scene(spread=60, mean=128)
    assert tone_of(weak).gain == pytest.approx((50 / 12) ** 0.6, rel=1e-3)
    assert tone_of(strong).gain == 1 and tone_of(scene(spread=1)).gain == 2.5
    shown = tone_of(weak)(weak)
    assert shown.mean() == pytest.approx(110, abs=1) and shown.std() == pytest.approx(12 * (50 / 12) ** 0.6, rel=0.02)
    flat = np.full((70, 70), 90, np.float32)
    np.testing.assert_allclose(tone_of(flat)(flat), 90, atol=1e-3)


def test_damaged_weights_are_named():
    with pytest.raises(UserError, match="not finite"):
        levels.check_finite(np.full((3, 3), np.nan, np.float32))


def test_what_all_pixels_do_together_is_taken_back():
    """Mean and contrast swing by several levels from frame to frame; what is shown does not."""
    scale, random = LevelScale(), np.random.default_rng(1)
    picture, shown, alone = scene(), [], []
    for _ in range(30):
        frame = (picture - 110) * (1 + 0.1 * random.standard_normal()) + 110 + 5 * random.standard_normal()
        frame = (frame + random.standard_normal(frame.shape)).astype(np.float32)
        shown.append(scale.follow(frame)(frame))
        alone.append(frame)
    swing = [np.abs(np.diff([frame.mean() for frame in frames])).mean() for frames in (shown, alone)]
    assert swing[0] < 0.1 * swing[1]
    swing = [np.abs(np.diff([frame.std() for frame in frames])).mean() for frames in (shown, alone)]
    assert swing[0] < 0.25 * swing[1]


def test_something_hot_that_enters_moves_nothing():
    scale, picture = LevelScale(), scene()
    before = scale.follow(picture)(picture)
    hot = picture.copy()
    hot[20:40, 20:40] = 250
    after = scale.follow(hot)(hot)
    away = np.ones(picture.shape, bool)
    away[20:40, 20:40] = False
    assert np.abs(after - before)[away].max() < 1.5


def test_lasting_changes_of_light_come_through_slowly():
    scale, picture = LevelScale(), scene()
    first = scale.follow(picture)(picture).mean()
    darker = picture - 40
    means = [scale.follow(darker)(darker).mean() for _ in range(300)]
    assert abs(means[0] - first) < 1.5 and means[-1] == pytest.approx(tone_of(darker)(darker).mean(), abs=1)
    assert np.abs(np.diff(means)).max() < 1


def test_a_cut_begins_anew_and_noise_in_the_dark_is_none():
    scale = LevelScale()
    scale.follow(scene(1, spread=15, mean=60))
    other = scene(2, spread=40, mean=170)
    np.testing.assert_allclose(scale.follow(other)(other), tone_of(other)(other), atol=1e-3)
    smaller = scene(3, size=(40, 40))
    np.testing.assert_allclose(scale.follow(smaller)(smaller), tone_of(smaller)(smaller), atol=1e-3)
    dark, random = LevelScale(), np.random.default_rng(0)
    gains = []
    for spread in (3, 6, 3, 6, 3, 6):
        frame = np.clip(12 + spread * random.standard_normal((60, 80)), 0, 255).astype(np.float32)
        gains.append(dark.follow(frame).end(100) - dark.follow(frame).end(0))
    assert max(gains) < 1.05 * 100 * levels.MOST
