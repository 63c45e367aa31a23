"""Random scenes: deterministic, of any size, seen by a thermal camera of their own."""

import numpy as np

from rgbt_tracker.synthetic.panorama import pixels_per_metre
from rgbt_tracker.synthetic.random_scenes import draw_crowd, draw_random, random_seeds


def test_random_sequences_are_deterministic_and_seen_by_a_camera_of_their_own() -> None:
    seed = random_seeds("validation", 3)[2]
    first, second = draw_random(seed, 12), draw_random(seed, 12)
    np.testing.assert_array_equal(first.groundtruth, second.groundtruth)
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.rgb, b.rgb) and np.array_equal(a.ir, b.ir)
        assert a.ir.shape == (480, 640)
    assert np.array_equal(a.ir, first.tones[first.renderer.pictures(11)[1]])
    x, y, w, h = first.groundtruth[11]
    assert np.count_nonzero(first.renderer.mask(11)[int(y) : int(y + h), int(x) : int(x + w)]) > 0


def test_scenes_with_small_actors_are_the_same_with_smaller_targets() -> None:
    for seed in random_seeds("validation", 4):
        near, far = draw_random(seed, 3), draw_random(seed, 3, small=True)
        if not (np.isnan(near.groundtruth).any() or np.isnan(far.groundtruth).any()):
            ratio = far.groundtruth[:, 3] / near.groundtruth[:, 3]
            assert ((ratio > 0.3) & (ratio < 0.9)).all()


def test_a_crowd_is_people_and_often_company() -> None:
    companions = 0
    for seed in random_seeds("train", 12):
        crowd = draw_crowd(seed, 6)
        target, *others = crowd.renderer.actors
        assert {actor.sprite.kind for actor in crowd.renderer.actors[:9]} == {"person"}
        if len(others) > 8 + crowd.renderer.scene.occluders:
            companions += 1
            metres = np.abs(others[-1].x - target.x) / [pixels_per_metre(row) for row in target.row]
            assert (metres > 0.2).all() and (metres < 1.7).all()  # at arm's length all the way
    assert 4 <= companions <= 11
    again = draw_crowd(seed, 6)
    assert np.array_equal(crowd.frame(5).rgb, again.frame(5).rgb)
    assert np.array_equal(crowd.groundtruth, again.groundtruth, equal_nan=True)
