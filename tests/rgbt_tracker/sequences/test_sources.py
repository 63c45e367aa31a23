"""Two videos, two folders, two cameras, and mixtures of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from sequence_files import SIZE, picture, which, write_frames

from nestfuse_core.common.errors import UserError
from rgbt_tracker.sequences import FrameSequence, open_pair, prefetch


def write_video(path: Path, count: int, camera: str, fps: int = 25, pixels: str = "yuv420p") -> Path:
    codec = "ffv1" if pixels.startswith("gray") else "libx264"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = SIZE[0], SIZE[1], pixels
        for index in range(count):
            image = picture(index, camera)
            if pixels == "gray16le":
                frame = av.VideoFrame.from_ndarray(image[..., 0].astype(np.uint16) * 100, format=pixels)
            elif pixels == "gray":
                frame = av.VideoFrame.from_ndarray(image[..., 0].copy(), format=pixels)
            else:
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def shown(sequence: FrameSequence) -> list[tuple[int, int]]:
    """The frame numbers that the visible and the thermal pictures show."""
    return [(which(f.rgb), which(f.ir)) for f in sequence if f.rgb is not None and f.ir is not None]


def test_two_videos(tmp_path: Path) -> None:
    rgb, ir = write_video(tmp_path / "day.mp4", 12, "rgb"), write_video(tmp_path / "heat.mp4", 12, "ir")
    sequence = open_pair(rgb, ir)
    assert len(sequence) == 12 and sequence.info.fps == 25 and sequence.name == "day_heat"
    for frame in prefetch(sequence):
        assert frame.rgb is not None and frame.ir is not None
        assert which(frame.rgb) == which(frame.ir) == frame.index
    for index in (5, 6, 2, 2, 11, 0):
        image = sequence.frame(index).rgb
        assert image is not None and which(image) == index, "any order"
    sequence.close()


def test_videos_of_different_rates_are_read_at_the_lower_one(tmp_path: Path) -> None:
    rgb, ir = write_video(tmp_path / "a.mp4", 12, "rgb", 30), write_video(tmp_path / "b.mp4", 4, "ir", 10)
    sequence = open_pair(rgb, ir)
    assert len(sequence) == 4 and sequence.info.fps == 10
    assert "30 and 10" in sequence.info.notes[0]
    assert shown(sequence) == [(0, 0), (3, 1), (6, 2), (9, 3)]


def test_a_longer_video_is_cut_and_noted(tmp_path: Path) -> None:
    sequence = open_pair(write_video(tmp_path / "a.mp4", 9, "rgb"), write_video(tmp_path / "b.mp4", 12, "ir"))
    assert len(sequence) == 9
    assert "thermal video has 3 more frames" in sequence.info.notes[0]


def test_deep_thermal_video(tmp_path: Path) -> None:
    deep = write_video(tmp_path / "deep.mkv", 3, "ir", pixels="gray16le")
    image = open_pair(None, deep).frame(1).ir
    assert image is not None and image.dtype == np.uint16 and (image == 14_200).all()
    grey = open_pair(None, write_video(tmp_path / "grey.mkv", 3, "ir", pixels="gray")).frame(2).ir
    assert grey is not None and grey.shape == (24, 32) and (grey == 152).all()


def test_video_and_folder_together(tmp_path: Path) -> None:
    write_frames(tmp_path / "thermal", "%03d.png", list(range(6)), "ir")
    sequence = open_pair(write_video(tmp_path / "a.mp4", 6, "rgb"), tmp_path / "thermal", name="mixed")
    assert sequence.name == "mixed"
    frame = sequence.frame(4)
    assert frame.rgb is not None and frame.ir is not None and which(frame.rgb) == which(frame.ir) == 4


def test_two_folders_and_one_alone(tmp_path: Path) -> None:
    write_frames(tmp_path / "eye", "left_%d.png", list(range(8, 12)), "rgb")
    write_frames(tmp_path / "heat", "t%04d.png", list(range(4)), "ir")
    both = open_pair(tmp_path / "eye", tmp_path / "heat")
    assert len(both) == 4 and both.groundtruth is None and both.name == "eye_heat" and both.info.notes == []
    alone = open_pair(None, tmp_path / "heat")
    assert alone.cameras == ("ir",) and alone.frame(0).rgb is None


@pytest.mark.parametrize("content", [b"", b"not a video" * 50])
def test_unreadable_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"Cannot read the video .* FFmpeg can read, or is damaged"):
        open_pair(path, None)


def test_a_damaged_frame_of_a_video_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("png", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        noise = np.random.default_rng(0)
        for _ in range(6):
            image = noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    data = bytearray(path.read_bytes())
    third = [index for index in range(len(data)) if data.startswith(b"\x89PNG", index)][2]
    data[third : third + 2000] = bytes(2000)
    path.write_bytes(bytes(data))
    seen = []
    with pytest.raises(UserError, match=r"Cannot decode frame 3 of 6 of the video '.*a\.mov'"):
        for frame in open_pair(path, None):
            seen.append(frame.index)
    assert seen == [0, 1]


@pytest.mark.parametrize("address", ["nowhere", "file.docx"])
def test_other_things_are_refused(tmp_path: Path, address: str) -> None:
    (tmp_path / "file.docx").write_text("")
    with pytest.raises(UserError, match=r"Expected a folder of images, a video .* for --rgb"):
        open_pair(tmp_path / address, None)
    with pytest.raises(UserError, match="Expected --rgb, --ir or both"):
        open_pair(None, None)


def test_cameras_that_are_not_there() -> None:
    with pytest.raises(UserError, match="Cannot open the thermal camera '97'"):
        open_pair(None, "97")
    with pytest.raises(UserError, match="Cannot open the visible camera 'file:///nowhere"):
        open_pair("file:///nowhere/at/all.mp4", None)
