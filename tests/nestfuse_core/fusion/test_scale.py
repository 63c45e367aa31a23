"""One steady scale for the raw frames of a thermal camera."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.fusion.scale import ThermalScale

HEIGHT, WIDTH = 96, 128
TARGET = (slice(40, 60), slice(50, 62))
NOISE = 3.0


def frames(count: int, seed: int = 0) -> list[np.ndarray]:
    """Counts around 29000 to 30500 with noise: a still scene with a warm target; HxW float64."""
    rng = np.random.default_rng(seed)
    blobs = cv2.GaussianBlur(rng.standard_normal((HEIGHT, WIDTH)), (0, 0), 6)
    ground = 29000 + 1200 * (blobs - blobs.min()) / np.ptp(blobs)
    ground[TARGET] = 30500
    return [ground + NOISE * rng.standard_normal(ground.shape) for _ in range(count)]


def shutter(seed: int, level: float = 29300) -> np.ndarray:
    return level + np.random.default_rng(seed).integers(-3, 4, (HEIGHT, WIDTH))


def target_levels(scale: ThermalScale, sequence) -> np.ndarray:
    return np.array([scale(np.rint(frame).astype(np.uint16))[TARGET].mean() for frame in sequence])


def test_the_first_frame_sets_the_range():
    first = np.rint(frames(1)[0]).astype(np.uint16)
    scale = ThermalScale()
    low, high = np.percentile(first, (0.1, 99.9))
    np.testing.assert_allclose(scale.follow(first), (low, high))
    levels = ThermalScale()(first)
    assert levels.dtype == np.uint8 and (levels.min(), levels.max()) == (0, 255)


def test_a_calibrations_jump_and_a_drift_leave_grey_levels_as_they_are():
    offsets = 20 * np.arange(90) + 600 * (np.arange(90) // 30)
    steady = target_levels(ThermalScale(), frames(90))
    moving = target_levels(ThermalScale(), (frame + offset for frame, offset in zip(frames(90), offsets, strict=True)))
    np.testing.assert_allclose(moving, steady, atol=1)
    assert np.ptp(steady) < 3


def test_the_range_is_never_that_of_a_flat_frame():
    sequence = frames(12)
    expected = target_levels(ThermalScale(), sequence)
    for flat in ([0], [0, 1], [4], [4, 5, 6]):
        scale = ThermalScale()
        found = target_levels(scale, [shutter(i) if i in flat else frame for i, frame in enumerate(sequence)])
        kept = [index for index in range(12) if index not in flat]
        np.testing.assert_allclose(found[kept], expected[kept], atol=2)


def test_a_jump_during_the_calibration_is_followed_after_it():
    sequence = [shutter(i) if 4 <= i < 8 else frame + 600 * (i >= 8) for i, frame in enumerate(frames(12))]
    found = target_levels(ThermalScale(), sequence)
    assert np.ptp(np.delete(found, range(4, 8))) < 3


def test_a_shutter_alone_shows_no_more_than_its_noise():
    assert ThermalScale()(shutter(0).astype(np.uint16)).std() < 20
    assert not ThermalScale()(np.full((HEIGHT, WIDTH), 29300, np.uint16)).any()


def test_something_hot_that_enters_changes_nothing_else():
    sequence = frames(60)
    expected = target_levels(ThermalScale(), sequence)
    for index, frame in enumerate(sequence[20:]):
        frame[70:, : 10 + index] = 45000
    np.testing.assert_allclose(target_levels(ThermalScale(), sequence), expected, atol=1)


def test_a_range_that_does_not_fit_is_left_slowly():
    flame = frames(1)[0]
    flame[:30] = 60000
    scale = ThermalScale()
    found = target_levels(scale, [flame, *frames(120)])
    contrast = np.diff(found[1:])
    assert found[1] < 30 and found[-1] > 60 and contrast.max() < 6
    low, high = scale.follow(np.rint(frames(1)[0]).astype(np.uint16))
    assert high - low < 6000


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, np.int32])
def test_numbers_of_every_kind(kind):
    celsius = (frames(1)[0] - 29500) / 10
    levels, expected = (ThermalScale()(image) for image in (celsius.astype(kind), celsius))
    assert np.abs(levels.astype(int) - expected).max() <= (0 if np.dtype(kind).kind == "f" else 3)


def test_pixels_without_a_measurement_have_the_mean_of_the_others():
    frame = np.rint(frames(1)[0]).astype(np.uint16)
    rimmed = frame.copy()
    rimmed[:12] = 0
    levels = ThermalScale()(rimmed)
    assert len(np.unique(levels[:12])) == 1 and levels[0, 0] == pytest.approx(levels[20:].mean(), abs=4)
    assert np.abs(levels[20:].astype(int) - ThermalScale()(frame)[20:]).max() < 12
    assert not ThermalScale()(np.zeros((HEIGHT, WIDTH), np.uint16)).any()


@given(st.integers(0, 11), st.sampled_from([0, 4, 8]))
def test_it_goes_on_from_a_state_as_if_nothing_had_been(stop, flat):
    sequence = [shutter(i) if i == flat else frame + 20 * i for i, frame in enumerate(frames(12))]
    sequence = [np.rint(frame).astype(np.uint16) for frame in sequence]
    scale, other = ThermalScale(), ThermalScale()
    for frame in sequence[:stop]:
        scale(frame)
    other.restore(scale.state())
    for frame in sequence[stop:]:
        np.testing.assert_array_equal(other(frame), scale(frame))
