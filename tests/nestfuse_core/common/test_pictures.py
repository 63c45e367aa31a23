"""Reading and writing pictures of every depth, luminance, colour and thermal scaling."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import (
    encode_image,
    list_images,
    read_bgr,
    read_grey,
    read_image,
    white_level,
    write_image,
)
from nestfuse_core.fusion import thermal
from nestfuse_core.fusion.colour import luminance, replace_luminance


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3)])
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_pictures_come_back_as_written(tmp_path, dtype, shape, suffix):
    image = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape).astype(dtype)
    path = tmp_path / f"wärme{suffix}"
    write_image(path, image)
    np.testing.assert_array_equal(read_image(path), image)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_is_dropped(tmp_path, dtype):
    image = np.random.default_rng(0).integers(0, 200, (6, 5, 4)).astype(dtype)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), image[..., :3])


@pytest.mark.parametrize("suffix", [".tiff", ".pfm"])
def test_floating_point_thermal_pictures_can_be_read(tmp_path, suffix):
    image = np.linspace(-20, 300, 30, dtype=np.float32).reshape(5, 6)
    cv2.imwrite(str(tmp_path / f"t{suffix}"), image)
    np.testing.assert_array_equal(read_image(tmp_path / f"t{suffix}"), image)


def test_three_ways_to_read(tmp_path, picture):
    colour, grey = picture(1, channels=3), picture(2)
    write_image(tmp_path / "c.jpg", colour)
    write_image(tmp_path / "g.png", grey)
    np.testing.assert_array_equal(read_bgr(tmp_path / "c.jpg"), read_image(tmp_path / "c.jpg"))
    np.testing.assert_array_equal(read_bgr(tmp_path / "g.png"), np.repeat(grey[..., None], 3, axis=2))
    np.testing.assert_array_equal(read_grey(tmp_path / "g.png"), grey)
    assert np.abs(read_grey(tmp_path / "c.jpg") - luminance(read_image(tmp_path / "c.jpg"))).mean() < 1


def test_a_phones_rotation_is_obeyed(tmp_path, picture):
    data = encode_image(picture(1, 24, 40), ".jpg")
    # An APP1 segment that says: turn by 90 degrees (orientation 6).
    turn = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    exif = b"\xff\xe1" + (len(turn) + 8).to_bytes(2, "big") + b"Exif\0\0" + turn
    (tmp_path / "turned.jpg").write_bytes(data[:2] + exif + data[2:])
    assert [read(tmp_path / "turned.jpg").shape[:2] for read in (read_image, read_bgr)] == [(40, 24)] * 2


def test_quality_decides_the_size(picture):
    image = picture(1, channels=3)
    small, large = (len(encode_image(image, ".jpg", quality)) for quality in (40, 95))
    assert len(encode_image(image, ".jpg", 95, optimise=True)) < large and small < large / 2
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(encode_image(image, ".png"), np.uint8), -1), image)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n broken"])
def test_unreadable_files_are_named(tmp_path, content):
    (tmp_path / "x.png").write_bytes(content)
    for read in (read_image, read_bgr, read_grey):
        with pytest.raises(UserError, match=r"Cannot read the mask '.*x\.png': it is not an image .*; make it again\."):
            read(tmp_path / "x.png", "mask", "make it again")


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_file_that_is_cut_off_is_refused(tmp_path, picture, suffix):
    data = encode_image(picture(1, channels=3), suffix)
    (tmp_path / f"x{suffix}").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="is cut off; convert it"):
        read_image(tmp_path / f"x{suffix}")


def test_formats_that_do_not_serve(tmp_path):
    with pytest.raises(UserError, match=r"Cannot read the image .*absent\.png': No such file"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(UserError, match=r"expected one of .* did you mean '\.png'"):
        write_image(tmp_path / "a.pngg", np.zeros((4, 4), np.uint8))
    with pytest.raises(UserError, match="cannot hold the image's 16 bits"):
        write_image(tmp_path / "a.jpg", np.zeros((4, 4), np.uint16))
    assert not list(tmp_path.iterdir())


def test_folders_are_listed_in_natural_order(tmp_path):
    for name in ("f10.png", "f2.PNG", ".hidden.png", "notes.txt", "f1.jpg"):
        (tmp_path / name).touch()
    assert [file.name for file in list_images(tmp_path)] == ["f1.jpg", "f2.PNG", "f10.png"]


class TestColour:
    def test_luminance_is_opencvs(self, picture):
        image = picture(1, channels=3)
        np.testing.assert_allclose(luminance(image), cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), atol=0.51)

    @given(st.data())
    def test_new_luminance_is_met_inside_the_gamut(self, data):
        white = data.draw(st.sampled_from([255, 1023, 65535]))
        dtype = np.uint8 if white == 255 else np.uint16
        image = data.draw(arrays(dtype, (2, 3, 3), elements=st.integers(0, white)))
        target = data.draw(arrays(np.float32, (2, 3), elements=st.integers(0, white).map(float)))
        result = replace_luminance(image, target, white)
        assert result.dtype == dtype and result.max() <= white
        # Each channel is rounded by at most a half (float32 adds its own rounding at 16 bits).
        np.testing.assert_allclose(luminance(result), target, atol=0.51 + white * 1e-6)

    @given(arrays(np.uint8, (3, 3, 3)))
    def test_the_same_luminance_gives_the_same_picture(self, image):
        np.testing.assert_array_equal(replace_luminance(image, luminance(image), 255), image)

    @given(arrays(np.uint8, (1, 1, 3)), st.floats(0, 255, width=32))
    def test_hue_is_kept(self, image, target):
        """Differences between channels keep their signs and shrink together: out = target + s (in - Y), 0 <= s <= 1."""
        result = replace_luminance(image, np.full((1, 1), target, np.float32), 255)[0, 0].astype(float)
        before = image[0, 0].astype(float) - luminance(image)[0, 0]
        after = result - target
        extreme = int(np.abs(before).argmax())
        scale = after[extreme] / before[extreme] if before[extreme] else 0.0
        slack = 0.51 * (1 + 1 / max(abs(before[extreme]), 1e-3)) if before[extreme] else 0.51
        np.testing.assert_allclose(after, scale * before, atol=1.1 + slack * 0.1)
        assert -0.51 <= scale * abs(before[extreme]) <= abs(before[extreme]) + 0.51

    def test_white_of_deep_pictures(self):
        for largest, white in ((5, 1023), (1023, 1023), (1024, 4095), (4095, 4095), (9000, 16383), (60000, 65535)):
            assert white_level(np.full((2, 2), largest, np.uint16)) == white
        assert white_level(np.zeros((2, 2), np.uint8)) == 255
        with pytest.raises(UserError, match="visible image has float32 pixels"):
            white_level(np.zeros((2, 2), np.float32))


class TestThermal:
    def test_dead_and_hot_pixels_do_not_set_the_scale(self):
        image = np.random.default_rng(0).integers(7000, 8000, (200, 200)).astype(np.uint16)
        image[3, 4], image[5, 6] = 0, 65535
        low, high = thermal.robust_range([image])
        assert 7000 <= low < 7010 and 7990 < high < 8000
        grey = thermal.to_grey_levels(image, (low, high))
        assert grey[3, 4] == 0 and grey[5, 6] == 255 and 120 < grey.mean() < 135

    def test_missing_values_are_ignored_and_black(self):
        image = np.linspace(0, 100, 10000, dtype=np.float32).reshape(100, 100)
        image[0, :3] = np.nan, np.inf, -np.inf
        low, high = thermal.robust_range([image])
        assert np.isfinite([low, high]).all()
        np.testing.assert_array_equal(thermal.to_grey_levels(image, (low, high))[0, :3], [0, 255, 0])

    def test_flat_and_empty_pictures(self):
        assert not thermal.to_grey_levels(np.full((4, 4), 7000, np.uint16), (7000, 7000)).any()
        assert thermal.robust_range([np.full((4, 4), np.nan, np.float32)]) == (0, 0)
        assert thermal.robust_range([]) == (0, 0)

    def test_three_channels(self, picture):
        grey = picture(2)
        triple = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
        np.testing.assert_array_equal(thermal.as_grey(triple), grey)
        assert not thermal.is_false_colour(triple)
        # What video compression leaves of chroma in a grey picture does not count.
        noisy = triple.astype(int) + np.random.default_rng(0).integers(-4, 5, triple.shape)
        assert not thermal.is_false_colour(np.clip(noisy, 0, 255).astype(np.uint8))
        palette = cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)
        assert thermal.is_false_colour(palette) and thermal.as_grey(palette).shape == grey.shape

    @pytest.mark.parametrize(
        ("text", "expected"), [("image", "image"), ("shared", "shared"), ("7000,-1", None), ("1,2", (1, 2))]
    )
    def test_ranges_on_the_command_line(self, text, expected):
        if expected is None:
            with pytest.raises(UserError, match="LOW,HIGH with LOW < HIGH, got '7000,-1'"):
                thermal.parse_range(text)
        else:
            assert thermal.parse_range(text) == expected
