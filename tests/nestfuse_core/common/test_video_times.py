"""Frames of a video are known by their presentation time: gaps, late starts, cut beginnings, damaged packets."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.video import VideoReader

CLOCK = Fraction(1, 1000)


def level(number: int) -> int:
    """Grey level that tells which frame a picture is."""
    return 20 + 4 * number


def number_of(image: np.ndarray) -> int:
    return round((float(image.mean()) - 17.2) / 4)  # conversion to YUV and back takes two or three levels away


def encode(path: Path, count: int, codec: str = "libx264", stamps: list[int] | None = None, **options: str) -> Path:
    """Frames that show their number, stamped in milliseconds (every 40 by default)."""
    quality = {"libx264": {"qp": "0"}, "libvpx-vp9": {"lossless": "1"}}.get(codec, {})
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=quality | options)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = CLOCK
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level(number), np.uint8), format="bgr24")
            frame = frame.reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = stamps[number] if stamps else 40 * number, CLOCK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def copy(source: Path, target: Path, first: int = 0, damaged: int | None = None) -> Path:
    """The packets of a video from number ``first`` on; one of them ``damaged``."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = old.streams.video[0]
        template = new.add_stream_from_template(stream)
        for number, packet in enumerate(old.demux(stream)):
            if packet.size == 0 or number < first:
                continue
            if number == damaged:
                spoilt = av.Packet(b"\0" * packet.size)
                spoilt.pts, spoilt.dts, spoilt.time_base = packet.pts, packet.dts, packet.time_base
                spoilt.is_keyframe = packet.is_keyframe
                packet = spoilt
            packet.stream = template
            new.mux(packet)
    return target


def contents(reader: VideoReader) -> list[int]:
    return [number_of(image) for image in reader]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=12), st.integers(0, 3000), st.randoms())
def test_any_stamps_come_back_in_any_order_of_reading(tmp_path_factory, steps, start, random):
    stamps = (start + np.cumsum(steps)).tolist()
    path = encode(tmp_path_factory.mktemp("video") / "a.mkv", len(stamps), stamps=stamps)
    with VideoReader(path) as reader:
        np.testing.assert_allclose(reader.times, np.array(stamps) / 1000, atol=1e-9)
        order = list(range(len(stamps)))
        random.shuffle(order)
        assert [number_of(reader.read(index)) for index in order] == order


@pytest.mark.parametrize("first", [1, 7, 20, 33])
@pytest.mark.parametrize(
    ("codec", "suffix", "options"),
    [
        ("libx264", ".mkv", {"x264-params": "keyint=20:min-keyint=20:scenecut=0:bframes=0"}),
        ("libx264", ".mp4", {"x264-params": "keyint=20:min-keyint=20:scenecut=0:bframes=3"}),
        # Frames before a key frame that refer to those of the group before it.
        ("libx264", ".ts", {"x264-params": "keyint=20:min-keyint=20:scenecut=0:bframes=3:open-gop=1"}),
        ("libvpx-vp9", ".webm", {"g": "20"}),
    ],
)
def test_a_recording_that_begins_between_key_frames_keeps_its_times(tmp_path, codec, suffix, options, first):
    whole = encode(tmp_path / f"whole{suffix}", 50, codec, **options)
    with VideoReader(whole) as reader:
        assert contents(reader) == list(range(50))
        times = reader.times
    with VideoReader(copy(whole, tmp_path / f"cut{suffix}", first)) as reader:
        numbers = contents(reader)
        kept = 20 if first <= 20 else 40
        assert numbers == list(range(kept, 50)) and len(reader) == 50 - kept
        # The muxer of MP4 may move the whole recording; the others keep every time.
        moved = reader.times[0] - times[kept] if suffix == ".mp4" else 0.0
        np.testing.assert_allclose(reader.times, times[numbers] + moved, atol=2e-3)


def test_a_frame_that_cannot_be_decoded_is_named_and_moves_no_other(tmp_path):
    whole = encode(tmp_path / "whole.mkv", 8, "mjpeg")
    with VideoReader(copy(whole, tmp_path / "spoilt.mkv", damaged=4)) as reader:
        assert len(reader) == 8
        assert [number_of(reader.read(index)) for index in (0, 3)] == [0, 3]
        with pytest.raises(UserError, match=r"Cannot decode frame 5 of 8 of the video .*convert it anew"):
            reader.read(4)
        assert [number_of(reader.read(index)) for index in (5, 7, 6, 2)] == [5, 7, 6, 2]


def test_a_video_without_any_decodable_frame(tmp_path):
    whole = encode(tmp_path / "whole.mkv", 1, "mjpeg")
    with (
        VideoReader(copy(whole, tmp_path / "spoilt.mkv", damaged=0)) as reader,
        pytest.raises(UserError, match="Cannot decode frame 1 of 1"),
    ):
        reader.read(0)
