"""Cameras that fail: what they deliver, when, and to which camera."""

import numpy as np
import pytest

from rgbt_tracker.data.synthetic import draw_sequence
from rgbt_tracker.training import failures
from rgbt_tracker.training.failures import FAILURES, failing_frames

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


def test_cameras_fail_for_a_while_and_not_in_every_scene(scene) -> None:
    frames = [(frame.rgb, frame.ir) for frame in scene]
    failing = []
    for seed in range(20):
        changed = [
            [not np.array_equal(a, b) for a, b in zip(pair, frames[index], strict=True)]
            for index, pair in enumerate(failing_frames(scene, np.random.default_rng(seed), 0.5))
        ]
        by_camera = np.sum(changed, 0)
        assert by_camera.min() == 0
        assert not np.any(changed[:5])
        failing.append(by_camera)
    counts = np.max(failing, 1)
    assert (counts == 0).any() and (counts > 5).any()
    assert (np.argmax(failing, 1)[counts > 0] == 0).any() and (np.argmax(failing, 1)[counts > 0] == 1).any()


def test_the_share_of_failing_scenes_is_as_asked(scene) -> None:
    frames = [(frame.rgb, frame.ir) for frame in scene]
    for share in (0.0, 1.0):
        pairs = failing_frames(scene, np.random.default_rng(6), share)
        same = [
            np.array_equal(a, b)
            for pair, own in zip(pairs, frames, strict=True)
            for a, b in zip(pair, own, strict=True)
        ]
        assert all(same) == (share == 0.0)
