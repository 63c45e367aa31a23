"""Where a picture ends in a file: whatever follows it is not looked at, and what is cut off is refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.common.encoded import end_of_picture
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import encode_image, read_image


def noise(height: int = 24, width: int = 33) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def jpeg(*flags: int) -> bytes:
    return cv2.imencode(".jpg", noise(), list(flags))[1].tobytes()


def with_preview(data: bytes) -> bytes:
    """A whole JPEG in the header, as cameras put one into EXIF."""
    segment = b"Exif\0\0" + encode_image(noise(8, 8), ".jpg")
    return data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]


FILES = {
    "jpeg": jpeg(),
    "progressive jpeg": jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "jpeg with restarts": jpeg(cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    "jpeg with a preview": with_preview(jpeg()),
    "png": encode_image(noise(), ".png"),
    "deep png": encode_image(noise().astype(np.uint16) * 200, ".png"),
}
KINDS = pytest.mark.parametrize("data", FILES.values(), ids=FILES.keys())


@KINDS
@given(tail=st.one_of(st.binary(max_size=300), st.sampled_from(sorted(FILES.values()))))
def test_what_follows_a_picture_is_not_looked_at(tmp_path_factory, data, tail):
    assert end_of_picture(data + tail) == len(data)
    path = tmp_path_factory.mktemp("tail") / "a.bin"
    path.write_bytes(data)
    whole = read_image(path)
    path.write_bytes(data + tail)
    np.testing.assert_array_equal(read_image(path), whole)


@KINDS
@given(share=st.floats(0, 1, exclude_max=True))
def test_what_is_cut_off_is_refused(tmp_path_factory, data, share):
    cut = data[: int(share * len(data))]
    path = tmp_path_factory.mktemp("cut") / "a.bin"
    path.write_bytes(cut)
    with pytest.raises(UserError, match="or is cut off"):
        read_image(path)


@given(st.binary(max_size=60))
def test_any_bytes_after_the_first_marks(rest):
    for head in (b"\xff\xd8", b"\x89PNG\r\n\x1a\n"):
        end = end_of_picture(head + rest)
        assert end is None or len(head) < end <= len(head + rest)


def test_other_formats_end_with_the_file():
    assert end_of_picture(b"BM and so on") == 12 and end_of_picture(b"") == 0
