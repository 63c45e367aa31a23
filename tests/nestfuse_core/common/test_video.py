"""Videos: read by index, written whole, in the form that is asked for."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.video import CLOSE, VIEWING, VideoReader, writing_video


def write(path, images, rate=Fraction(25), encoding=CLOSE):
    with writing_video(path, rate, encoding) as writer:
        for image in images:
            writer.write(image)
    return path


def levels(count, height=48, width=64):
    """Frames of one grey level each, 20 apart."""
    return [np.full((height, width, 3), 20 * index, np.uint8) for index in range(count)]


class TestReading:
    def test_in_any_order(self, tmp_path):
        path = write(tmp_path / "a.mp4", levels(12))
        with VideoReader(path) as reader:
            assert len(reader) == 12 and reader.fps == 25
            for index in (5, 6, 2, 2, 11, 0):
                assert reader.read(index).mean() == pytest.approx(20 * index, abs=6)
            np.testing.assert_allclose([image.mean() for image in reader], 20 * np.arange(12), atol=6)

    def test_after_closing_it_opens_again(self, tmp_path):
        reader = VideoReader(write(tmp_path / "a.mp4", levels(4)))
        first = reader.read(3)
        reader.close()
        np.testing.assert_array_equal(reader.read(3), first)
        reader.close()

    def test_grey_video_is_read_as_grey(self, tmp_path, picture):
        with av.open(str(tmp_path / "g.mkv"), "w") as container:
            stream = container.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = 88, 72, "gray16le"
            deep = picture(1).astype(np.uint16) * 200
            container.mux(stream.encode(av.VideoFrame.from_ndarray(deep, format="gray16le")))
            container.mux(stream.encode())
        np.testing.assert_array_equal(VideoReader(tmp_path / "g.mkv").read(0), deep)

    @pytest.mark.parametrize("content", [b"", b"not a video" * 50])
    def test_files_that_are_no_video(self, tmp_path, content):
        (tmp_path / "a.mp4").write_bytes(content)
        with pytest.raises(UserError, match=r"Cannot read the video '.*a\.mp4'.*convert it to MP4"):
            VideoReader(tmp_path / "a.mp4")
        with pytest.raises(UserError, match="No video at"):
            VideoReader(tmp_path / "b.mp4")


class TestWriting:
    def test_to_look_at(self, tmp_path):
        path = tmp_path / "new" / "out.mp4"
        with writing_video(path, 24.5, VIEWING) as video:
            for image in levels(12, 35, 65):
                video.write(image)
            assert not path.exists(), "nothing under the final name before it is whole"
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
            assert float(stream.average_rate or 0) == pytest.approx(24.5, rel=1e-3)
        capture = cv2.VideoCapture(str(path))
        seen = []
        while (read := capture.read())[0]:
            assert read[1].shape == (34, 64, 3)
            seen.append(float(read[1].mean()))
        np.testing.assert_allclose(seen, 20 * np.arange(12), atol=4)
        assert [entry.name for entry in path.parent.iterdir()] == ["out.mp4"]
        head = path.read_bytes()
        assert head.index(b"moov") < head.index(b"mdat"), "a browser can start before the end has arrived"

    def test_close_to_the_source_keeps_odd_sizes(self, tmp_path, picture):
        image = picture(1, 33, 45, 3)
        found = VideoReader(write(tmp_path / "odd.mp4", [image])).read(0)
        assert found.shape == (33, 45, 3) and np.abs(found.astype(int) - image).mean() < 8

    @pytest.mark.parametrize("encoding", [CLOSE, VIEWING])
    @pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
    def test_every_kind_of_file(self, tmp_path, suffix, encoding):
        reader = VideoReader(write(tmp_path / f"a{suffix}", levels(3), Fraction(30000, 1001), encoding))
        assert len(reader) == 3 and reader.fps == pytest.approx(29.97, abs=0.01)
        assert reader.read(2).mean() == pytest.approx(40, abs=4)

    def test_grey_frames(self, tmp_path, picture):
        image = picture(1)
        found = VideoReader(write(tmp_path / "a.mp4", [image])).read(0)
        assert np.abs(found.astype(int) - image[..., None]).mean() < 4

    def test_one_size_only(self, tmp_path):
        with pytest.raises(ValueError, match="expected 64x48, got 32x32"):
            write(tmp_path / "a.mp4", [*levels(1), *levels(1, 32, 32)])

    @pytest.mark.parametrize("error", [KeyboardInterrupt, UserError, ZeroDivisionError])
    @pytest.mark.parametrize("begun", [False, True])
    def test_an_interrupted_video_leaves_nothing_and_keeps_the_old_one(self, tmp_path, error, begun):
        path = tmp_path / "out.mp4"
        path.write_bytes(b"older")
        with pytest.raises(error), writing_video(path, 25) as video:
            if begun:
                video.write(np.zeros((32, 32, 3), np.uint8))
            raise error("stopped")
        assert path.read_bytes() == b"older"
        assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]

    def test_suffix_and_place(self, tmp_path):
        with pytest.raises(UserError, match=r"Cannot write a video as 'out\.gif'; expected one of \.mp4"):
            write(tmp_path / "out.gif", [])
        (tmp_path / "file").write_text("")
        with pytest.raises(UserError, match="Cannot write to"):
            write(tmp_path / "file" / "out.mp4", [])
