"""A TIFF of several pages where a camera's recording is due."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from nestfuse_core.cameras.sources import open_recorded, parse_address
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import write_image
from nestfuse_core.fusion.jobs import kind_of, plan
from nestfuse_core.fusion.records import Request

PAGES = (29000 + np.arange(5)[:, None, None] + np.arange(30 * 40).reshape(30, 40)).astype(np.uint16)


@pytest.fixture
def heat(tmp_path):
    tifffile.imwrite(tmp_path / "heat.tif", PAGES, photometric="minisblack")
    return tmp_path / "heat.tif"


def test_its_pages_are_frames_without_times(heat):
    source = open_recorded(parse_address(heat), "ir")
    assert source.length == 5 and source.times is None and source.fps is None
    np.testing.assert_array_equal(source.read(3), PAGES[3])
    assert source.where(3).endswith("heat.tif, frame 4")
    source.close()
    assert kind_of(heat) == "video"


def test_a_single_page_is_a_picture(tmp_path):
    write_image(tmp_path / "one.tif", PAGES[0])
    assert kind_of(tmp_path / "one.tif") == "image"
    with pytest.raises(UserError, match=r"a TIFF of several pages, a camera index .* \(a file of another kind\)"):
        open_recorded(parse_address(tmp_path / "one.tif"), "ir")


def test_a_visible_one_needs_a_rate_to_become_a_video(heat, tmp_path):
    tifffile.imwrite(tmp_path / "day.tif", (PAGES % 256).astype(np.uint8), photometric="minisblack")
    with pytest.raises(UserError, match=r"Nobody has said the times of the frames of '.*day\.tif'; give their rate"):
        plan(Request(heat, tmp_path / "day.tif", tmp_path / "out.mp4"))
