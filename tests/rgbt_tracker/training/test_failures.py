"""Cameras that fail: what they deliver, when, and to which camera."""

import numpy as np
import pytest

from rgbt_tracker.synthetic import draw_sequence
from rgbt_tracker.training import failures
from rgbt_tracker.training.failures import FAILURES, BlindCamera, FailingCamera

KINDS = tuple(dict.fromkeys(FAILURES))


@pytest.fixture(scope="module")
def scene():
    return draw_sequence("street", length=60, seed=1)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("camera", ["rgb", "ir"])
def test_a_failing_camera_delivers_other_pictures_of_the_same_kind(kind, camera, scene) -> None:
    good, image = getattr(scene.frame(3), camera), getattr(scene.frame(30), camera)
    failure = kind(np.random.default_rng(4))
    for age in (0, 1, 25, 200):
        delivered = failure(image, good, age)
        assert delivered.shape == image.shape and delivered.dtype == np.uint8
    assert np.abs(delivered.astype(float) - image).mean() > 4


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_pictures_of_any_size_fail(kind) -> None:
    failure = kind(np.random.default_rng(4))
    for shape in ((1080, 1920, 3), (2160, 5000), (90, 64)):
        image = np.full(shape, 90, np.uint8)
        for age in (0, 300):
            assert failure(image, image, age).shape == shape


def test_what_single_failures_show() -> None:
    rng = np.random.default_rng(0)
    image, good = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8), np.full((48, 64, 3), 7, np.uint8)
    assert (failures.black(rng)(image, good, 0) == 0).all()
    assert failures.frozen(rng)(image, good, 9) is good
    assert np.array_equal(failures.elsewhere(rng)(image, good, 0)[::-1, ::-1], image)
    assert np.array_equal(failures.adrift(rng)(image, good, 0), image)
    assert failures.veil(rng)(image, good, 0).std() == pytest.approx(0.15 * image.std(), rel=0.05)
    assert failures.defocus(rng)(image, good, 0).std() < 0.2 * image.std()
    assert len(np.unique(failures.blocks(rng)(image, good, 0)[..., 0])) <= 5 * 4


def test_smoke_moves_and_hides_most(scene) -> None:
    image = scene.frame(0).rgb
    plume = failures.plume(np.random.default_rng(2))
    first, later = plume(image, image, 0), plume(image, image, 20)
    assert not np.array_equal(first, later)
    assert np.abs(first.astype(float) - image).mean() > 15


def changed(scene, seed: int, share: float) -> np.ndarray:
    """(frames, 2) whether the visible and the thermal picture differ from the scene's."""
    failing = FailingCamera(scene, seed, share)
    pairs = [(failing.frame(index), scene.frame(index)) for index in (0, 4, 10, 20, 30, 40, 59)]
    return np.array([[not np.array_equal(a.rgb, b.rgb), not np.array_equal(a.ir, b.ir)] for a, b in pairs])


def test_one_camera_fails_after_a_good_start_and_not_in_every_scene(scene) -> None:
    found = [changed(scene, seed, 0.5) for seed in range(16)]
    assert not any(frames[:2].any() for frames in found)
    assert not any(frames.all(1).any() for frames in found)
    cameras = np.array([frames.any(0) for frames in found])
    assert cameras[:, 0].any() and cameras[:, 1].any() and (~cameras.any(1)).any()


def test_the_share_of_failing_scenes_is_as_asked(scene) -> None:
    assert not any(FailingCamera(scene, seed, 0.0).failing for seed in range(50))
    assert all(len(FailingCamera(scene, seed, 1.0).failing) >= 10 for seed in range(50))


def test_a_blind_camera_never_shows_its_first_template_and_may_recover(scene) -> None:
    made = [BlindCamera(scene, seed, 1.0) for seed in range(40)]
    assert not any(BlindCamera(scene, seed, 0.0).failing for seed in range(40))
    assert {blind.camera for blind in made} == {"rgb", "ir"}
    assert all(blind.failing.start == 0 and len(blind.failing) >= 20 for blind in made)
    recovering = [blind for blind in made if len(blind.failing) < len(scene)]
    assert 8 <= len(recovering) <= 24
    for blind in recovering[:4]:
        other = "ir" if blind.camera == "rgb" else "rgb"
        for index, same in ((0, False), (blind.failing.stop - 1, False), (blind.failing.stop, True)):
            frame, drawn = blind.frame(index), scene.frame(index)
            assert np.array_equal(getattr(frame, blind.camera), getattr(drawn, blind.camera)) == same
            assert np.array_equal(getattr(frame, other), getattr(drawn, other))


def test_a_frame_does_not_depend_on_the_order_of_reading(scene) -> None:
    for seed in range(8):
        forth, back = FailingCamera(scene, seed, 1.0), FailingCamera(scene, seed, 1.0)
        indices = list(range(0, 60, 9))
        forwards = [forth.frame(index) for index in indices]
        backwards = [back.frame(index) for index in reversed(indices)]
        for a, b in zip(forwards, reversed(backwards), strict=True):
            assert np.array_equal(a.rgb, b.rgb) and np.array_equal(a.ir, b.ir)
