"""Reading and writing pictures of every depth."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
import tifffile

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
from nestfuse_core.fusion.colour import luminance


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


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_jpeg_2000(tmp_path, kind, picture):
    image = picture(1).astype(kind) * (1 if kind == np.uint8 else 200)
    data = cv2.imencode(".jp2", image, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])[1].tobytes()
    (tmp_path / "a.jp2").write_bytes(data + b"something behind it")
    found = read_image(tmp_path / "a.jp2")
    assert found.dtype == kind
    np.testing.assert_allclose(found, image, atol=0.02 * float(image.max()))


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


def test_white_of_deep_pictures():
    for largest, white in ((5, 1023), (1023, 1023), (1024, 4095), (4095, 4095), (9000, 16383), (60000, 65535)):
        assert white_level(np.full((2, 2), largest, np.uint16)) == white
    assert white_level(np.zeros((2, 2), np.uint8)) == 255
    with pytest.raises(UserError, match="visible image has float32 pixels"):
        white_level(np.zeros((2, 2), np.float32))


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [1, 50000])
def test_a_tiff_packed_in_an_unknown_way_is_refused_and_not_black(tmp_path, big, order, packed):
    """OpenCV only prints that it cannot unpack Zstandard, and returns a black picture."""
    tifffile.imwrite(tmp_path / "a.tif", np.full((8, 9), 7, np.uint8), byteorder=order, bigtiff=big)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    entry = data.index(struct.pack(f"{order}HH", 259, 3)) + (12 if big else 8)
    data[entry : entry + 2] = struct.pack(f"{order}H", packed)
    (tmp_path / "a.tif").write_bytes(data)
    if packed == 1:
        assert (read_image(tmp_path / "a.tif") == 7).all()
        return
    for read in (read_image, read_bgr, read_grey):
        with pytest.raises(UserError, match="not an image that OpenCV can read"):
            read(tmp_path / "a.tif")
