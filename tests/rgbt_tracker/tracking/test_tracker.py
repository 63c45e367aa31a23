"""The loop's own behaviour: modalities, kinds of input, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from rgbt_tracker import build_tracker
from rgbt_tracker.config import AnchorConfig, ThermalConfig, load_config
from rgbt_tracker.models.anchors import decode_anchors, decode_points, make_anchors, make_points, target_scores
from rgbt_tracker.tracking.cameras import ThermalFrames
from rgbt_tracker.tracking.crop import crop_square

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


def test_16_bit_thermal_uses_the_first_frames_range() -> None:
    view = ThermalFrames(ThermalConfig())
    first = np.linspace(20000, 30000, 120 * 160).reshape(120, 160).astype(np.uint16)
    start = view(first, None)
    assert (start.min(), start.max()) == (0, 255)
    warmer = view(first + 1000, None)
    assert warmer[60, 80, 0] > start[60, 80, 0] + 20


def test_other_resolution_is_resized_and_a_homography_warps() -> None:
    small = IR[::2, ::2]
    assert ThermalFrames(ThermalConfig())(small, (160, 120)).shape == (120, 160, 3)
    shift = ThermalFrames(ThermalConfig(homography=((1, 0, 5), (0, 1, 3), (0, 0, 1))))(IR, (160, 120))
    np.testing.assert_array_equal(shift[3:, 5:, 0], IR[:-3, :-5])


def test_maps_are_the_modalities_shares() -> None:
    built = tracker()
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
        (None, IR, "rgb frame is None"),
        (RGB, None, "ir frame is None"),
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


def test_update_before_initialize() -> None:
    with pytest.raises(UserError, match="initialize"):
        tracker().update(RGB, IR)


@given(
    st.floats(-40, 200), st.floats(-40, 160), st.integers(8, 90), st.sampled_from([31, 64]), st.integers(0, 2**32 - 1)
)
@settings(max_examples=60, deadline=None)
def test_crop_is_the_padded_image_cut(x: float, y: float, side: int, size: int, seed: int) -> None:
    """Second formula: pad generously with the fill colour, then slice around the rounded corner."""
    image = np.random.default_rng(seed).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    fill = np.array([3.7, 99.2, 200.9])
    pad = 400
    large = np.full((60 + 2 * pad, 80 + 2 * pad, 3), fill.astype(np.uint8), np.uint8)
    large[pad:-pad, pad:-pad] = image
    left, top = (int(np.floor(c - (side + 1) / 2 + 0.5)) + pad for c in (x, y))
    expected = large[top : top + side, left : left + side]
    actual = crop_square(image, (x, y), side, side, fill)
    np.testing.assert_array_equal(actual, expected)
    assert crop_square(image, (x, y), side, size, fill).shape == (size, size, 3)


def test_anchors_are_the_published_ones() -> None:
    anchors = make_anchors(AnchorConfig(), 25)
    assert anchors.shape == (4, 3125)
    shapes = [(104, 32), (88, 40), (64, 64), (40, 80), (32, 96)]
    assert [tuple(anchors[2:, 625 * i].tolist()) for i in range(5)] == shapes
    assert anchors[0].min() == -96
    assert anchors[0].max() == 96
    assert anchors[:2, 1].tolist() == [-88, -96]


def test_decoding_inverts_encoding() -> None:
    generator = torch.Generator().manual_seed(0)
    anchors = make_anchors(AnchorConfig(), 5)
    boxes = torch.rand(1, 4, 125, generator=generator) * 50 + 5
    delta = torch.cat([(boxes[:, :2] - anchors[:2]) / anchors[2:], (boxes[:, 2:] / anchors[2:]).log()], 1)
    torch.testing.assert_close(decode_anchors(delta.reshape(1, 20, 5, 5), anchors), boxes)
    points = make_points(16, 15)
    sides = torch.rand(1, 4, 15, 15, generator=generator) * 40
    decoded = decode_points(sides, points)[0]
    flat = sides.reshape(4, -1)
    torch.testing.assert_close(decoded[0] - decoded[2] / 2, points[0] - flat[0])
    torch.testing.assert_close(decoded[1] + decoded[3] / 2, points[1] + flat[3])


def test_scores_are_the_second_class_of_a_softmax() -> None:
    logits = torch.randn(1, 10, 3, 3, generator=torch.Generator().manual_seed(0))
    expected = torch.sigmoid(logits[:, 5:] - logits[:, :5]).reshape(1, -1)
    torch.testing.assert_close(target_scores(logits), expected)
