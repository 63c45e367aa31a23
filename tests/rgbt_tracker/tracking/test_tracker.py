"""The loop's own behaviour: modalities, kinds of input, and what is refused."""

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker import build_tracker
from rgbt_tracker.config import load_config

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (120, 160, 3)).astype(np.uint8)
IR = RNG.integers(0, 256, (120, 160)).astype(np.uint8)
BOX = (60, 40, 30, 24)


def tracker(modality: str = "rgbt", **changes):
    return build_tracker(load_config("nestfuse_nanotrack").replace(modality=modality, **changes), "untrained", "cpu")


def run(built, rgb, ir):
    built.initialize(rgb, ir, BOX)
    return built.update(rgb, ir)


@pytest.mark.parametrize("modality", ["rgbt", "rgb", "ir"])
@pytest.mark.parametrize("point", ["backbone", "neck"])
@pytest.mark.parametrize("shared", [True, False])
def test_every_modality_fusion_point_and_sharing(modality: str, point: str, shared: bool) -> None:
    built = tracker(modality, **{"model.fusion.point": point, "model.backbone.shared": shared})
    result = run(built, RGB if modality != "ir" else None, IR if modality != "rgb" else None)
    assert 0 <= result.score <= 1
    assert len(result.box) == 4


def test_one_modality_twice_is_that_modality() -> None:
    grey = np.repeat(IR[..., None], 3, 2)
    fused, single = run(tracker("rgbt"), grey, IR), run(tracker("rgb"), grey, None)
    np.testing.assert_allclose(fused.box, single.box, atol=1e-3)


def test_thermal_forms_are_the_same_frame() -> None:
    expected = run(tracker(), RGB, IR)
    for form in (IR[..., None], np.repeat(IR[..., None], 3, 2)):
        assert run(tracker(), RGB, form).box == expected.box


def test_maps_are_the_modalities_shares() -> None:
    built = tracker(**{"model.fusion.strategy": "attention"})
    built.record_maps = True
    result = run(built, RGB, IR)
    assert result.maps is not None
    shares = next(iter(result.maps.values()))
    assert shares.shape == (2, 16, 16)
    assert shares.min() >= 0
    # An untrained network's features are so small that the epsilon of the ratio shows.
    assert 0.5 < shares.sum(0).min() <= shares.sum(0).max() < 1.0001


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((1, 2, 3), "four finite numbers"),
        ((float("nan"), 1, 10, 10), "four finite numbers"),
        ((10, 10, 0, 5), "positive width and height"),
        ((10, 10, -4, 5), "positive width and height"),
        ((500, 10, 20, 20), "outside the 160x120 image"),
        ((-30, 10, 20, 20), "outside the 160x120 image"),
    ],
)
def test_bad_boxes(box, message: str) -> None:
    with pytest.raises(UserError, match=message):
        tracker().initialize(RGB, IR, box)


@pytest.mark.parametrize(
    ("rgb", "ir", "message"),
    [
        (None, None, "at least one camera, got None for both"),
        (np.zeros((10, 10, 2), np.uint8), IR, "1 or 3 channels, got 2"),
        (RGB.astype(np.float32), IR, "as uint8, got float32"),
        (np.zeros((0, 5, 3), np.uint8), IR, "HxW"),
        (RGB, np.zeros((4, 4, 4, 4), np.uint8), "HxW"),
        (RGB, np.array([["a"]]), "numbers"),
    ],
)
def test_bad_images(rgb, ir, message: str) -> None:
    with pytest.raises(UserError, match=message):
        tracker().initialize(rgb, ir, BOX)


@pytest.mark.parametrize(("modality", "other"), [("rgb", "ir"), ("ir", "rgb")])
def test_the_only_camera_must_have_a_first_frame(modality: str, other: str) -> None:
    built = tracker(modality)
    with pytest.raises(UserError, match=f"modality '{modality}' but the {modality} frame is None.* to '{other}'"):
        built.initialize(None, None, BOX)
    built.initialize(RGB, IR, BOX)
    cx, cy, w, h = built.target
    still = built.update(*((None, IR) if modality == "rgb" else (RGB, None)))
    assert (still.box, still.score, still.lost, still.cameras) == ((cx - w / 2, cy - h / 2, w, h), 0.0, True, ())


def test_update_before_initialize() -> None:
    with pytest.raises(UserError, match="initialize"):
        tracker().update(RGB, IR)
