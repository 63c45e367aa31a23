"""TIFF of every depth, byte order and compression, one page or many."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pages import PageReader, page_count
from nestfuse_core.common.pictures import read_image

DEPTHS = ("u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8")


def pages(kind: str, count: int = 4) -> np.ndarray:
    """Celsius, Kelvin or counts: (count, 20, 27), rising from page to page."""
    rise = np.linspace(0, 100, 20 * 27).reshape(20, 27) + 5 * np.arange(count)[:, None, None]
    return (rise - (20 if kind[0] in "if" else 0)).astype(kind)


def as_read(values: np.ndarray) -> np.ndarray:
    return values if values.dtype in (np.uint8, np.uint16) else values.astype(np.float32)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", DEPTHS)
def test_every_depth_in_every_byte_order(tmp_path, kind, order, compression):
    values = pages(kind)
    predictor = True if compression and kind[0] != "f" else None
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, values, byteorder=order, compression=compression, predictor=predictor, photometric="minisblack"
    )
    first = read_image(path)
    assert first.dtype in (np.uint8, np.uint16, np.float32)
    np.testing.assert_array_equal(first, as_read(values[0]))
    with PageReader(path) as reader:
        assert len(reader) == 4 and page_count(path) == 4
        for index in (2, 0, 3, 3, 1):
            np.testing.assert_array_equal(reader.read(index), as_read(values[index]))
            assert reader.read(index).dtype == first.dtype


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_deflate"])
def test_compressions_that_other_programs_write(tmp_path, compression):
    pillow = pytest.importorskip("PIL.Image")
    values = pages("u2")
    first, *more = [pillow.fromarray(page) for page in values]
    first.save(tmp_path / "a.tif", save_all=True, append_images=more, compression=compression)
    with PageReader(tmp_path / "a.tif") as reader:
        np.testing.assert_array_equal(list(reader), values)


def test_big_tiff_and_colour(tmp_path):
    colour = np.random.default_rng(0).integers(0, 256, (3, 16, 17, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", colour, bigtiff=True, photometric="rgb")
    with PageReader(tmp_path / "a.tif") as reader:
        np.testing.assert_array_equal(list(reader), colour[..., ::-1])


@given(st.lists(st.integers(0, 8), min_size=1, max_size=12), st.sampled_from([None, 9, 29.97]))
def test_pages_in_any_order_with_the_times_of_a_rate(tmp_path_factory, order, rate):
    path = tmp_path_factory.mktemp("pages") / "a.tif"
    values = pages("u2", 9)
    tifffile.imwrite(path, values, photometric="minisblack")
    reader = PageReader(path, rate)
    for index in order:
        np.testing.assert_array_equal(reader.read(index), values[index])
        if index % 3 == 0:
            reader.close()
    if rate is None:
        assert reader.times is None and reader.fps is None
    else:
        assert reader.rate == Fraction(rate).limit_denominator(60000)
        np.testing.assert_allclose(reader.times, np.arange(9) / rate)
    reader.close()


def test_previews_are_no_frames(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in pages("u2", 2):
            writer.write(page, photometric="minisblack")
            writer.write(page[::2, ::2], photometric="minisblack", subfiletype=1)
    with PageReader(tmp_path / "a.tif") as reader:
        np.testing.assert_array_equal(list(reader), pages("u2", 2))


def test_what_is_no_sequence(tmp_path):
    tifffile.imwrite(tmp_path / "one.tif", pages("u2", 1)[0])
    (tmp_path / "no.tif").write_bytes(b"no TIFF")
    assert [page_count(tmp_path / name) for name in ("one.tif", "no.tif", "absent.tif")] == [1, 1, 1]
    for name in ("no.tif", "absent.tif"):
        with pytest.raises(UserError, match=rf"Cannot read '.*{name}'"):
            PageReader(tmp_path / name)


@pytest.mark.parametrize("big", [False, True])
def test_a_file_that_is_cut_off_is_refused(tmp_path, big):
    with tifffile.TiffWriter(tmp_path / "a.tif", bigtiff=big) as writer:
        for page in pages("u2"):
            writer.write(page, photometric="minisblack", contiguous=False)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        last = file.pages[3].offset
    (tmp_path / "b.tif").write_bytes((tmp_path / "a.tif").read_bytes()[: last - 2])
    with pytest.raises(UserError, match=r"The TIFF '.*b\.tif' is cut off after 3 pages"):
        PageReader(tmp_path / "b.tif")


def test_a_damaged_page_is_named(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", pages("u2"), compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        place = file.pages[2].dataoffsets[0]
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[place : place + 40] = bytes(40)
    (tmp_path / "a.tif").write_bytes(data)
    with PageReader(tmp_path / "a.tif") as reader:
        np.testing.assert_array_equal(reader.read(3), pages("u2")[3])
        with pytest.raises(UserError, match=r"Cannot decode page 3 of 4 of '.*a\.tif'"):
            reader.read(2)
