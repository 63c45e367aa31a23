"""A camera without a picture: the other goes on as if it had always been alone, and nothing else changes."""

import dataclasses
from typing import get_args

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker import build_tracker
from rgbt_tracker.config import FusionConfig, load_config
from rgbt_tracker.synthetic import draw_sequence
from rgbt_tracker.tracking import target as loop
from rgbt_tracker.tracking.cameras import turned

SCENE = draw_sequence("street", length=5, size=(160, 120), seed=3)
FRAMES = [SCENE.frame(index) for index in range(5)]
BOX = SCENE.info.start_box
STRATEGIES = get_args(FusionConfig.model_fields["strategy"].annotation)
NARROW = {
    "model.backbone.width": 0.25,
    "model.neck.channels": [8, 8, 8],
    "model.head.channels": 8,
}
"""The same network of fewer channels, which takes a tenth of the time."""
KINDS = {
    **{f"nanotrack {name}": ("nestfuse_nanotrack", {"model.fusion.strategy": name}) for name in STRATEGIES},
    "nanotrack nuclear": ("nestfuse_nanotrack", {"model.fusion.channel": "nuclear"}),
    "nanotrack neck": ("nestfuse_nanotrack", {"model.fusion.point": "neck"}),
    "mobilenet gate": ("nestfuse_siamrpn_mobilev2_official", {**NARROW, "model.fusion.strategy": "reliable"}),
    "mobilenet gate behind the neck": (
        "nestfuse_siamrpn_mobilev2_official",
        {**NARROW, "model.fusion.strategy": "reliable", "model.fusion.point": "neck"},
    ),
    "mobilenet attention": ("nestfuse_siamrpn_mobilev2_official", NARROW),
    "one level": ("nestfuse_siamrpn_alex", {}),
}


def build(name: str = "nestfuse_nanotrack", modality: str = "rgbt", **changes):
    return build_tracker(load_config(name).replace(modality=modality, **changes), "untrained", "cpu")


def run(tracker, pictures):
    """Results of a run over (rgb, ir) pairs, the first one's target known."""
    tracker.initialize(*pictures[0], BOX)
    return [tracker.update(*pair) for pair in pictures[1:]]


def pairs(missing: dict[int, str] | None = None):
    """The frames' pictures, without those of camera ``missing[index]`` ("both" for neither)."""
    gone = missing or {}
    return [
        (
            None if gone.get(frame.index) in ("rgb", "both") else frame.rgb,
            None if gone.get(frame.index) in ("ir", "both") else frame.ir,
        )
        for frame in FRAMES
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_camera_alone_answers_as_the_tracker_of_that_camera(kind: str) -> None:
    name, changes = KINDS[kind]
    tracker = build(name, **changes)
    for camera, other in (("rgb", "ir"), ("ir", "rgb")):
        single = run(build(name, camera, **changes), pairs()[:3])
        results = run(tracker, pairs({1: other, 2: other}))
        for one, two in zip(results, single, strict=False):
            assert (one.box, one.score) == (two.box, two.score)
        assert [result.cameras for result in results] == [(camera,), (camera,), ("rgb", "ir"), ("rgb", "ir")]
        assert all(np.isfinite(result.box).all() for result in results)


@pytest.mark.parametrize("camera", ["rgb", "ir"])
def test_backbones_of_their_own_stay_with_their_cameras(camera: str) -> None:
    tracker = build(**{"model.backbone.shared": False})
    other = build(modality=camera, **{"model.backbone.shared": False})
    # Untrained, the two differ: taking the wrong one would show.
    own = other.runtime.network.state_dict()
    source = tracker.runtime.network.state_dict()
    other.runtime.network.load_state_dict({key: source[key] for key in own})
    away = "ir" if camera == "rgb" else "rgb"
    results = run(tracker, pairs(dict.fromkeys(range(1, 5), away)))
    assert [result.box for result in results] == [result.box for result in run(other, pairs())]


def test_the_gate_gives_a_missing_camera_no_weight_and_keeps_its_memory() -> None:
    tracker = build("nestfuse_nanotrack")
    tracker.initialize(*pairs()[0], BOX)
    tracker.update(*pairs()[1])
    memory = tracker.state()["memory"]
    result = tracker.update(FRAMES[2].rgb, None)
    assert result.weights == (1.0, 0.0, 0.0)
    assert tracker.update(None, FRAMES[3].ir).weights == (0.0, 1.0, 0.0)
    np.testing.assert_array_equal(tracker.state()["memory"], memory)


def test_without_any_picture_the_target_stays_and_is_lost() -> None:
    tracker = build()
    first, still, last = run(tracker, pairs({2: "both"}))[:3]
    assert still.box == first.box
    assert (still.score, still.lost, still.cameras) == (0.0, True, ())
    assert last.cameras == ("rgb", "ir")


def with_certainty(monkeypatch, level: float) -> None:
    monkeypatch.setattr(loop, "CERTAIN", level)
    monkeypatch.setattr(loop, "EARLY", 0)


@pytest.mark.parametrize("kind", ["nanotrack attention", "mobilenet gate", "mobilenet attention"])
@pytest.mark.parametrize("first", ["rgb", "ir"])
def test_a_late_camera_learns_where_the_other_is_certain(kind: str, first: str, monkeypatch) -> None:
    name, changes = KINDS[kind]
    late = "ir" if first == "rgb" else "rgb"
    for level, expected in ((0.0, ("rgb", "ir")), (1.1, (first,))):
        with_certainty(monkeypatch, level)
        results = run(build(name, **changes), pairs({0: late, 1: late}))
        # It appears in frame 2 and takes part from the next one on.
        assert [result.cameras for result in results] == [(first,), (first,), expected, expected]


def test_right_after_the_first_frame_a_camera_learns_at_any_score(monkeypatch) -> None:
    monkeypatch.setattr(loop, "CERTAIN", 1.1)
    both = ("rgb", "ir")
    for early, expected in ((2, [("rgb",), ("rgb",), both, both]), (1, [("rgb",)] * 4)):
        monkeypatch.setattr(loop, "EARLY", early)
        # The thermal camera appears two frames after the one whose box was given.
        assert [result.cameras for result in run(build(), pairs({0: "ir", 1: "ir"}))] == expected


def test_a_late_camera_that_is_alone_takes_part_at_once(monkeypatch) -> None:
    with_certainty(monkeypatch, 0.0)
    results = run(build(), pairs({0: "ir", 1: "rgb"}))
    assert results[0].cameras == ("ir",)
    with_certainty(monkeypatch, 1.1)
    lost = run(build(), pairs({0: "ir", 1: "ir", 2: "rgb"}))[1]
    assert (lost.score, lost.cameras) == (0.0, ())


def test_a_missing_visible_pictures_size_still_stands() -> None:
    tracker = build()
    tracker.initialize(FRAMES[0].rgb, FRAMES[0].ir[::2, ::2], BOX)
    gone = tracker.update(None, FRAMES[1].ir[::2, ::2])
    assert np.hypot(*(np.array(gone.box[:2]) - BOX[:2])) < 40  # of the 160x120 picture's pixels, not the 80x60 one's


def test_the_target_moves_into_the_visible_pictures_pixels() -> None:
    x, y, w, h = BOX
    homography = ((2.0, 0.0, 6.0), (0.0, 2.0, -4.0), (0.0, 0.0, 1.0))
    for settings, shift in (({}, (0, 0)), ({"thermal.homography": homography}, (6, -4))):
        tracker = build(**settings)
        tracker.initialize(None, FRAMES[0].ir[::2, ::2], (x / 2, y / 2, w / 2, h / 2))
        cx, cy, _, _ = tracker.target
        tracker.update(FRAMES[0].rgb, None)  # rgb learns it where the thermal camera was told it is
        expected = 2 * cx + shift[0], 2 * cy + shift[1]
        assert tracker.state()["size"].tolist() == [160, 120]
        found = tracker.target
        assert np.hypot(found[0] - expected[0], found[1] - expected[1]) < 40
        assert found[2] > w / 2


def test_a_box_under_a_matrix() -> None:
    assert turned(np.diag([2.0, 3.0, 1.0]), (10, 20), (4, 6)) == pytest.approx((20, 60, 8, 18))
    quarter = np.array([[0.0, -1, 50], [1, 0, 0], [0, 0, 1]])
    assert turned(quarter, (10, 20), (4, 6)) == pytest.approx((30, 10, 6, 4))


@pytest.mark.parametrize("kind", ["nanotrack attention", "mobilenet gate"])
@pytest.mark.parametrize("missing", [{}, {0: "ir"}, {0: "rgb", 2: "ir"}, {1: "both"}], ids=str)
def test_a_restored_tracker_goes_on_to_the_bit(kind: str, missing: dict[int, str], monkeypatch) -> None:
    with_certainty(monkeypatch, 0.0)
    name, changes = KINDS[kind]
    pictures = [
        (rgb, None if ir is None else ir.astype(np.uint16) * 7 + index * 20)
        for index, (rgb, ir) in enumerate(pairs(missing))
    ]
    tracker, states = build(name, **changes), []
    tracker.initialize(*pictures[0], BOX)
    whole = []
    for pair in pictures[1:]:
        states.append(tracker.state())
        whole.append(tracker.update(*pair))
    assert all(isinstance(value, np.ndarray) for state in states for value in state.values())
    for other in (tracker, build(name, **changes)):  # it comes back from wherever it has gone meanwhile
        for start in (1, 3):
            other.initialize(*pictures[0], BOX)
            other.restore(states[start])
            rest = [other.update(*pair) for pair in pictures[start + 1 :]]
            assert list(map(dataclasses.astuple, rest)) == list(map(dataclasses.astuple, whole[start:]))


def test_restoring_needs_a_first_frame() -> None:
    for call in (build().state, lambda: build().restore({})):
        with pytest.raises(UserError, match="initialize"):
            call()
