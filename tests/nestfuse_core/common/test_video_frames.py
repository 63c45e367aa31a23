"""Videos stand upright and keep their colours, whatever matrix, range and orientation their file names."""

from __future__ import annotations

import gc
import struct

import av
import cv2
import numpy as np
import pytest

from nestfuse_core.common.video import VIEWING, VideoReader, writing_video
from nestfuse_core.common.video_frames import HD, upright

BT709, BT601 = 1, 5
LIMITED, FULL = 1, 2
COLOURS = ((40, 30, 220), (200, 60, 20), (30, 190, 60), (128, 128, 128), (250, 250, 250), (4, 4, 4))
"""BGR: a red, a blue, a green, and greys."""
UNIT = 1 << 16


def yuv(bgr, matrix: int, scale: int) -> tuple[int, int, int]:
    """Y, Cb and Cr of a colour by the formulas of ITU-R BT.601 and BT.709."""
    red_share, blue_share = (0.2126, 0.0722) if matrix == BT709 else (0.299, 0.114)
    blue, green, red = (value / 255 for value in bgr)
    y = red_share * red + (1 - red_share - blue_share) * green + blue_share * blue
    cb, cr = (blue - y) / (2 - 2 * blue_share), (red - y) / (2 - 2 * red_share)
    luma, chroma, black = (219, 224, 16) if scale == LIMITED else (255, 255, 0)
    return round(black + luma * y), round(128 + chroma * cb), round(128 + chroma * cr)


def encode(path, bgr, matrix, scale, tagged=True, size=(64, 48)):
    """One colour as YUV 4:4:4, without loss."""
    width, height = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv444p" if scale == LIMITED else "yuvj444p"
        if tagged:
            stream.codec_context.colorspace, stream.codec_context.color_range = matrix, scale
        planes = np.empty((3, height, width), np.uint8)
        planes[:] = np.array(yuv(bgr, matrix, scale)).reshape(3, 1, 1)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format=stream.pix_fmt)))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("scale", [LIMITED, FULL])
@pytest.mark.parametrize("matrix", [BT601, BT709])
def test_the_matrix_and_the_range_that_a_file_names(tmp_path, matrix, scale):
    for number, bgr in enumerate(COLOURS):
        found = VideoReader(encode(tmp_path / f"{number}.mkv", bgr, matrix, scale)).read(0)
        np.testing.assert_allclose(found[10, 10].astype(int), bgr, atol=4)


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), BT601), ((HD[0], 64), BT709), ((64, HD[1]), BT709)])
def test_a_file_that_names_no_matrix_is_guessed_by_its_size(tmp_path, size, matrix):
    found = VideoReader(encode(tmp_path / "a.mkv", COLOURS[0], matrix, LIMITED, tagged=False, size=size)).read(0)
    np.testing.assert_allclose(found[10, 10].astype(int), COLOURS[0], atol=4)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
@pytest.mark.parametrize("size", [(64, 48), (63, 47), (1280, 720)])
def test_a_written_colour_is_the_one_that_is_read_and_is_tagged(tmp_path, suffix, size):
    bgr, (width, height) = COLOURS[0], size
    with writing_video(tmp_path / f"a{suffix}", 25) as writer:
        writer.write(np.full((height, width, 3), bgr, np.uint8))
    np.testing.assert_allclose(VideoReader(tmp_path / f"a{suffix}").read(0)[20, 20].astype(int), bgr, atol=3)
    with av.open(str(tmp_path / f"a{suffix}")) as container:
        frame = next(container.decode(video=0))
        assert (frame.colorspace, frame.color_range) == (BT709, LIMITED)
        y, cb, cr = (int(np.frombuffer(plane, np.uint8)[20]) for plane in frame.planes)
    np.testing.assert_allclose((y, cb, cr), yuv(bgr, BT709, LIMITED), atol=2)


def test_grey_keeps_its_levels(tmp_path):
    ramp = np.repeat(np.arange(0, 256, 4, dtype=np.uint8)[None], 48, axis=0)
    with writing_video(tmp_path / "a.mp4", 25, VIEWING) as writer:
        writer.write(ramp)
    assert np.abs(VideoReader(tmp_path / "a.mp4").read(0).astype(int) - ramp[..., None]).mean() < 2


PICTURE = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)


def matrix_of(turn):
    """The display matrix of a turn of pictures: where the stored picture's axes go."""
    marked = np.zeros((5, 5), np.uint8)
    marked[2, 3] = 1  # one step along x
    marked[3, 2] = 2  # one step along y
    seen = turn(marked)
    (row_x, column_x), (row_y, column_y) = (np.argwhere(seen == value)[0] - 2 for value in (1, 2))
    return UNIT * np.array([[column_x, row_x], [column_y, row_y]])


TURNS = {
    "as it is": lambda image: image,
    "clockwise": lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE),
    "half": lambda image: cv2.rotate(image, cv2.ROTATE_180),
    "anticlockwise": lambda image: cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE),
    "mirrored": lambda image: cv2.flip(image, 1),
    "upside down": lambda image: cv2.flip(image, 0),
    "transposed": cv2.transpose,
    "mirrored and turned": lambda image: cv2.rotate(cv2.flip(image, 1), cv2.ROTATE_90_CLOCKWISE),
}


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS.keys())
def test_every_display_matrix(turn):
    np.testing.assert_array_equal(upright(PICTURE, matrix_of(turn)), turn(PICTURE))
    np.testing.assert_array_equal(
        upright(PICTURE[..., 0], matrix_of(turn)), turn(np.ascontiguousarray(PICTURE[..., 0]))
    )


@pytest.mark.parametrize("name", ["clockwise", "half", "anticlockwise", "mirrored"])
def test_a_file_with_a_rotation_tag_is_read_upright(tmp_path, picture, name):
    """As FFmpeg's MP4 has it: nine fixed-point numbers in the track header."""
    image = picture(1, 48, 64, 3)
    plain = tmp_path / "plain.mp4"
    with writing_video(plain, 25) as writer:
        writer.write(image)
    stored = VideoReader(plain).read(0)
    (xx, xy), (yx, yy) = matrix_of(TURNS[name]).tolist()
    data, whole = bytearray(plain.read_bytes()), struct.pack(">9i", UNIT, 0, 0, 0, UNIT, 0, 0, 0, 1 << 30)
    place = data.find(whole, data.find(b"tkhd"))
    data[place : place + 36] = struct.pack(">9i", xx, xy, 0, yx, yy, 0, 0, 0, 1 << 30)
    (tmp_path / "turned.mp4").write_bytes(data)
    np.testing.assert_array_equal(VideoReader(tmp_path / "turned.mp4").read(0), TURNS[name](stored))


def test_frames_are_freed_as_they_are_read(tmp_path):
    path = tmp_path / "long.mp4"
    with writing_video(path, 25) as writer:
        for level in range(40):
            writer.write(np.full((32, 48, 3), 5 * level, np.uint8))
    gc.collect()
    gc.disable()
    try:
        reader = VideoReader(path)
        for index in range(40):
            reader.read(index)
        alive = sum(type(each) is av.VideoFrame for each in gc.get_objects())
    finally:
        gc.enable()
    assert alive < 20, "a garbage collector may not come by for long, and a frame of 4K takes 12 MB"
