"""Fusing one pair: formulas, colour, depth, thermal pictures of every kind."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from nestfuse_core.fusion.colour import luminance
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.fusion.looks import LOOKS
from nestfuse_core.fusion.quarters import parts

EQUATIONS = LOOKS["equations"]


def plain(network, strategy="avg", **changes) -> Fuser:
    """A fuser by Eq. 5 with the levels as they come, or with other parts of a look."""
    options = {name: changes.pop(name) for name in ("tile", "thermal_range", "keep_maps") if name in changes}
    return Fuser(network, strategy, replace(EQUATIONS, **changes), **options)


def expected(ir: np.ndarray, vis: np.ndarray, pool) -> np.ndarray:
    """Eq. 4 to 9 for a network that passes the grey levels through: mean of spatial and channel attention."""
    a, b = ir.astype(float), vis.astype(float)
    share = pool(a) / (pool(a) + pool(b))
    return ((a * a + b * b) / np.maximum(a + b, 1e-9) + share * a + (1 - share) * b) / 2


@pytest.mark.parametrize(
    ("strategy", "pool"),
    [("avg", np.mean), ("max", np.max), ("nuclear", lambda image: np.linalg.norm(image, "nuc"))],
)
def test_the_papers_formulas(plain_network, picture, strategy, pool):
    ir, vis = picture(1), picture(2)
    for tile in (None, 64):
        fusion = plain(plain_network, strategy, tile=tile)(ir, vis)
        np.testing.assert_allclose(fusion.image, expected(ir, vis, pool), atol=0.51)
        assert fusion.image.dtype == np.uint8 and not fusion.notes


@pytest.mark.parametrize("tile", [None, 64])
def test_the_released_codes_spatial_attention(plain_network, picture, tile):
    """A softmax of the means over the 64 channels, of which the plain network uses one."""
    ir, vis = picture(1), picture(2)
    a, b = ir.astype(float), vis.astype(float)
    by_place = np.exp(a / 64) / (np.exp(a / 64) + np.exp(b / 64))
    by_channel = a.mean() / (a.mean() + b.mean())
    share = (by_place + by_channel) / 2
    fusion = plain(plain_network, tile=tile, spatial="softmax")(ir, vis)
    np.testing.assert_allclose(fusion.image, share * a + (1 - share) * b, atol=0.51)


def test_quarters_are_fused_by_themselves(random_network, picture):
    ir, vis = picture(1, 40, 530), picture(2, 40, 530)
    whole, cut = (plain(random_network, quarters=quarters)(ir, vis).image for quarters in (False, True))
    corner = plain(random_network)(ir[:23, :268], vis[:23, :268]).image
    # Rows 18 to 22 and columns 263 to 267 lie in two parts.
    np.testing.assert_array_equal(cut[:18, :263], corner[:18, :263])
    assert (whole != cut).any()
    small = ir[:, :512], vis[:, :512]
    np.testing.assert_array_equal(
        plain(random_network, quarters=True)(*small).image, plain(random_network)(*small).image
    )


@given(st.integers(1, 1200), st.integers(1, 1200))
def test_quarters_cover_the_picture(height, width):
    seen = np.zeros((height, width), int)
    for rows, columns in parts(height, width):
        seen[rows, columns] += 1
    assert seen.min() >= 1
    assert len(parts(height, width)) == (4 if max(height, width) > 512 else 1)


def test_addition_is_stretched_by_itself(plain_network, picture):
    ir, vis = picture(1), picture(2)
    total = ir.astype(float) + vis
    image = plain(plain_network, "add")(ir, vis).image
    np.testing.assert_allclose(image, np.floor((total - total.min()) / np.ptp(total) * 255 + 1e-3), atol=1)
    assert (image.min(), image.max()) == (0, 255)


def test_ranges(plain_network, picture):
    ir, vis = picture(1) // 2 + 60, picture(2) // 2 + 60
    clip, stretch = (plain(plain_network, levels=name)(ir, vis).image for name in ("clip", "stretch"))
    assert clip.min() > 55 and clip.max() < 200
    assert (stretch.min(), stretch.max()) == (0, 255)


def test_flat_pictures_do_not_blow_up(plain_network):
    flat = np.full((70, 70), 90, np.uint8)
    for name in ("clip", "stretch"):
        np.testing.assert_array_equal(plain(plain_network, levels=name)(flat, flat).image, 90)


def test_colour_keeps_its_chroma(plain_network, picture):
    ir, vis = picture(1), picture(2, channels=3)
    fusion = plain(plain_network)(ir, vis)
    grey = np.rint(luminance(vis))
    assert fusion.image.shape == vis.shape and fusion.image.dtype == np.uint8
    np.testing.assert_allclose(luminance(fusion.image), fusion.luminance, atol=1.01)
    np.testing.assert_allclose(fusion.luminance, expected(ir, grey, np.mean), atol=1.01)
    # Fusing a picture with its own luminance returns it.
    np.testing.assert_allclose(plain(plain_network)(grey.astype(np.uint8), vis).image, vis, atol=1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [12, 16])
def test_deep_visible_pictures_stay_deep(plain_network, picture, channels, bits):
    ir, vis = picture(1), picture(2, channels=channels)
    deep = np.rint(vis * ((2**bits - 1) / 255)).astype(np.uint16)
    deep.flat[0] = 2**bits - 1
    fusion = plain(plain_network)(ir, deep)
    assert fusion.image.dtype == np.uint16 and fusion.image.shape == vis.shape
    shallow = plain(plain_network)(ir, np.rint(deep * (255 / (2**bits - 1))).astype(np.uint8))
    np.testing.assert_allclose(fusion.image * (255 / (2**bits - 1)), shallow.image, atol=2)


def test_radiometric_thermal_is_scaled_and_said_so(plain_network, picture):
    grey, vis = picture(1), picture(2)
    deep = (7000 + 10 * grey.astype(np.uint16)).astype(np.uint16)
    fixed = plain(plain_network, thermal_range=(7000, 9550))(deep, vis)
    np.testing.assert_allclose(fixed.image, plain(plain_network)(grey, vis).image, atol=1)
    assert fixed.notes == ["16-bit infrared: 7000 to 9550 (as given) became 0 to 255"]
    kelvin = deep.astype(np.float32) / 30
    kelvin[0, 0] = np.nan
    fusion = plain(plain_network)(kelvin, vis)
    assert "floating-point infrared" in fusion.notes[0] and "percentiles 0.1 and 99.9" in fusion.notes[0]
    assert (fusion.ir.min(), fusion.ir.max()) == (0, 255)


def test_thermal_of_another_resolution(plain_network, picture):
    ir, vis = picture(1, 48, 64), picture(2, 96, 128)
    fusion = plain(plain_network)(ir, vis)
    assert fusion.image.shape == vis.shape
    assert fusion.notes == ["infrared 64x48 was resampled to 128x96"]
    np.testing.assert_allclose(cv2.resize(fusion.ir, (64, 48), interpolation=cv2.INTER_AREA), ir, atol=12)
    assert any("may not show the same view" in note for note in plain(plain_network)(ir[:, :48], vis).notes)


def test_false_colour_is_said(plain_network, picture):
    palette = cv2.applyColorMap(picture(1), cv2.COLORMAP_INFERNO)
    assert "palette" in plain(plain_network)(palette, picture(2)).notes[0]


def test_maps(plain_network, picture):
    ir, vis = picture(1, 70, 81), picture(2, 70, 81)
    for tile in (None, 64):
        fusion = plain(plain_network, keep_maps=True, tile=tile)(ir, vis)
        assert [share.shape for share in fusion.shares] == [(70, 81), (35, 40), (17, 20), (8, 10)]
        a, b = ir.astype(float), vis.astype(float)
        np.testing.assert_allclose(fusion.shares[0], a / (a + b), atol=1e-4)
        # The coarser scales of this network are silent.
        assert (fusion.shares[3] == 0.5).all()
        assert [share.size for share in fusion.channel_shares] == [64, 112, 160, 208]
        assert fusion.channel_shares[0][0] == pytest.approx(a.mean() / (a.mean() + b.mean()), abs=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "average"}, r"Unknown strategy 'average'; expected one of avg, max, nuclear, add"),
        ({"look": "paper", "keep_maps": True}, "--maps.*'paper' cuts in four"),
        ({"look": "naturall"}, r"Unknown look 'naturall'.*did you mean 'natural'"),
        ({"tile": 100}, r"at least 64 and a multiple of 8, got 100"),
        ({"tile": 8}, r"at least 64"),
    ],
)
def test_options_that_do_not_exist(plain_network, options, message):
    with pytest.raises(UserError, match=message):
        Fuser(plain_network, **options)


def test_floating_point_visible_pictures_are_refused(plain_network):
    with pytest.raises(UserError, match="visible image has float32 pixels"):
        plain(plain_network)(np.zeros((70, 70), np.uint8), np.zeros((70, 70), np.float32))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("kind", "mark"), [(np.uint16, 0), (np.float32, -9999), (np.float32, np.nan)])
def test_where_infrared_holds_nothing_the_visible_picture_passes(random_network, picture, kind, mark, channels):
    raw, vis = 29000.0 + 6 * picture(1).astype(float), picture(2, channels=channels)
    rimmed = raw.copy()
    rimmed[:20] = mark
    whole = plain(random_network)(raw.astype(kind), vis)
    fusion = plain(random_network)(rimmed.astype(kind), vis)
    np.testing.assert_array_equal(fusion.image[:20], vis[:20])
    assert "infrared holds no measurement in a part of the picture; the visible picture passes there" in fusion.notes
    # No haze and no halo: inside, the picture is as without a rim but for the measurements that the rim covered.
    inside = np.abs(fusion.luminance[30:].astype(int) - whole.luminance[30:])
    assert inside.mean() < 4
    nothing = plain(random_network)(np.full(raw.shape, mark).astype(kind), vis)
    np.testing.assert_array_equal(nothing.image, vis)


def test_no_line_is_drawn_where_a_rim_begins():
    generator = np.random.default_rng(0)
    raw = generator.normal(29100, 4, (96, 128)).astype(np.uint16)
    raw[40:50, 60:70] = 30500  # something warm, so that the rest is dark
    raw[:, :30] = 0
    vis = np.clip(generator.normal(150, 2, raw.shape), 0, 255).astype(np.uint8)
    profile = Fuser()(raw, vis).luminance[:32].astype(float).mean(axis=0)
    outside, inside = profile[:28].mean(), profile[45:58].mean()
    low, high = min(outside, inside), max(outside, inside)
    assert (profile[28:60] > low - 4).all() and (profile[28:60] < high + 4).all()


def test_infrared_with_a_rim_may_be_of_another_size(random_network, picture):
    raw, vis = 29000 + 6 * picture(1, 36, 44).astype(np.uint16), picture(2)
    raw[:, :10] = 0
    fusion = plain(random_network)(raw, vis)
    np.testing.assert_array_equal(fusion.image[:, :20], vis[:, :20])
    assert (fusion.image[:, 30:] != vis[:, 30:]).mean() > 0.5


def test_black_eight_bit_rims_are_grey_levels(random_network, picture):
    ir, vis = picture(1), picture(2)
    ir[:20] = 0
    assert not plain(random_network)(ir, vis).notes and (plain(random_network)(ir, vis).image[:20] != vis[:20]).any()


def test_frames_of_a_camera_go_through_one_scale(random_network, picture):
    vis, cold = picture(2), (29000 + 6.0 * picture(1)).astype(np.uint16)
    video = plain(random_network).video()
    first = video(cold, vis)
    np.testing.assert_array_equal(video(cold + np.uint16(600), vis).image, first.image)
    video.pass_over(cold + np.uint16(900))
    np.testing.assert_array_equal(video(cold + np.uint16(900), vis).image, first.image)
