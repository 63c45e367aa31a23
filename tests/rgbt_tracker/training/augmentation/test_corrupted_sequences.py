"""Corrupted cameras: what they deliver, when, and which of the two it is."""

import numpy as np
import pytest

from rgbt_tracker.synthetic import draw_sequence
from rgbt_tracker.training.augmentation import corrupted_sequences as corrupted
from rgbt_tracker.training.augmentation.corrupted_sequences import (
    CORRUPTIONS,
    initially_corrupted,
    temporarily_corrupted,
)

KINDS = tuple(dict.fromkeys(CORRUPTIONS))


@pytest.fixture(scope="module")
def scene():
    return draw_sequence("street", length=60, seed=1)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("camera", ["rgb", "ir"])
def test_a_corrupted_camera_delivers_other_pictures_of_the_same_kind(kind, camera, scene) -> None:
    good, image = getattr(scene.frame(3), camera), getattr(scene.frame(30), camera)
    corruption = kind(np.random.default_rng(4))
    for age in (0, 1, 25, 200):
        delivered = corruption(image, good, age)
        assert delivered.shape == image.shape and delivered.dtype == np.uint8
    assert np.abs(delivered.astype(float) - image).mean() > 4


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_pictures_of_any_size_are_corrupted(kind) -> None:
    corruption = kind(np.random.default_rng(4))
    for shape in ((1080, 1920, 3), (2160, 5000), (90, 64)):
        image = np.full(shape, 90, np.uint8)
        for age in (0, 300):
            assert corruption(image, image, age).shape == shape


def test_what_single_corruptions_show() -> None:
    rng = np.random.default_rng(0)
    image, good = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8), np.full((48, 64, 3), 7, np.uint8)
    assert (corrupted.black(rng)(image, good, 0) == 0).all()
    assert corrupted.frozen(rng)(image, good, 9) is good
    assert np.array_equal(corrupted.turned_away(rng)(image, good, 0)[::-1, ::-1], image)
    assert np.array_equal(corrupted.drifting(rng)(image, good, 0), image)
    assert corrupted.fog(rng)(image, good, 0).std() == pytest.approx(0.15 * image.std(), rel=0.05)
    assert corrupted.defocus(rng)(image, good, 0).std() < 0.2 * image.std()
    assert len(np.unique(corrupted.blocks(rng)(image, good, 0)[..., 0])) <= 5 * 4


def test_smoke_moves_and_hides_most(scene) -> None:
    image = scene.frame(0).rgb
    smoke = corrupted.smoke(np.random.default_rng(2))
    first, later = smoke(image, image, 0), smoke(image, image, 20)
    assert not np.array_equal(first, later)
    assert np.abs(first.astype(float) - image).mean() > 15


def changed(scene, seed: int, share: float) -> np.ndarray:
    """(frames, 2) whether the visible and the thermal picture differ from the scene's."""
    sequence = temporarily_corrupted(scene, seed, share)
    pairs = [(sequence.frame(index), scene.frame(index)) for index in (0, 4, 10, 20, 30, 40, 59)]
    return np.array([[not np.array_equal(a.rgb, b.rgb), not np.array_equal(a.ir, b.ir)] for a, b in pairs])


def test_one_camera_is_corrupted_after_a_good_start_and_not_in_every_scene(scene) -> None:
    found = [changed(scene, seed, 0.5) for seed in range(16)]
    assert not any(frames[:2].any() for frames in found)
    assert not any(frames.all(1).any() for frames in found)
    cameras = np.array([frames.any(0) for frames in found])
    assert cameras[:, 0].any() and cameras[:, 1].any() and (~cameras.any(1)).any()


def test_the_share_of_corrupted_scenes_is_as_asked(scene) -> None:
    assert not any(temporarily_corrupted(scene, seed, 0.0).corrupted for seed in range(50))
    assert all(len(temporarily_corrupted(scene, seed, 1.0).corrupted) >= 10 for seed in range(50))


def test_an_initially_corrupted_camera_never_shows_its_first_template_and_may_recover(scene) -> None:
    made = [initially_corrupted(scene, seed, 1.0) for seed in range(40)]
    assert not any(initially_corrupted(scene, seed, 0.0).corrupted for seed in range(40))
    assert {sequence.camera for sequence in made} == {"rgb", "ir"}
    assert all(sequence.corrupted.start == 0 and len(sequence.corrupted) >= 20 for sequence in made)
    recovering = [sequence for sequence in made if len(sequence.corrupted) < len(scene)]
    assert 8 <= len(recovering) <= 24
    for sequence in recovering[:4]:
        other = "ir" if sequence.camera == "rgb" else "rgb"
        for index, same in ((0, False), (sequence.corrupted.stop - 1, False), (sequence.corrupted.stop, True)):
            frame, drawn = sequence.frame(index), scene.frame(index)
            assert np.array_equal(getattr(frame, sequence.camera), getattr(drawn, sequence.camera)) == same
            assert np.array_equal(getattr(frame, other), getattr(drawn, other))


def test_a_frame_does_not_depend_on_the_order_of_reading(scene) -> None:
    for seed in range(8):
        forth, back = temporarily_corrupted(scene, seed, 1.0), temporarily_corrupted(scene, seed, 1.0)
        indices = list(range(0, 60, 9))
        forwards = [forth.frame(index) for index in indices]
        backwards = [back.frame(index) for index in reversed(indices)]
        for a, b in zip(forwards, reversed(backwards), strict=True):
            assert np.array_equal(a.rgb, b.rgb) and np.array_equal(a.ir, b.ir)
