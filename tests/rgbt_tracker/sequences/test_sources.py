"""Two videos, two folders, two cameras, and mixtures of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import av
import cv2
import numpy as np
import pytest
import tifffile
from sequence_files import SIZE, picture, which, write_frames

from nestfuse_core.cameras.sources import parse_address
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


def test_the_faster_camera_keeps_its_rate(tmp_path: Path) -> None:
    rgb, ir = write_video(tmp_path / "a.mp4", 12, "rgb", 30), write_video(tmp_path / "b.mp4", 4, "ir", 10)
    sequence = open_pair(rgb, ir)
    assert len(sequence) == 12 and sequence.info.fps == 30
    (note,) = sequence.info.notes
    assert "Paired by time: rgb 30 fps, thermal 10 fps, offset 0 s: 11 of 12 frames have both, at most 33 ms" in note
    # Thermal pictures are taken at 0, 3, 6 and 9 thirtieths.
    assert shown(sequence) == [(index, round(index / 3)) for index in range(11)]
    assert sequence.frame(11).ir is None, "more than half a thermal interval after the last thermal picture"
    frame = sequence.frame(5)
    assert (frame.rgb_index, frame.ir_index) == (5, 2) and frame.time == pytest.approx(5 / 30)
    swapped = open_pair(ir, rgb)
    assert len(swapped) == 12 and swapped.info.fps == 30, "a thermal camera may be the faster one"


def test_where_a_video_ends_the_other_goes_on_alone(tmp_path: Path) -> None:
    sequence = open_pair(write_video(tmp_path / "a.mp4", 9, "rgb"), write_video(tmp_path / "b.mp4", 12, "ir"))
    assert len(sequence) == 12 and "9 of 12 frames have both" in sequence.info.notes[0]
    assert "3 thermal alone" in sequence.info.notes[0]
    last = sequence.frame(11)
    assert last.rgb is None and last.rgb_index is None and last.ir is not None and last.ir_index == 11
    by_position = open_pair(tmp_path / "a.mp4", tmp_path / "b.mp4", pair="index")
    assert len(by_position) == 9 and "the last 3 thermal ones are left out" in by_position.info.notes[0]


def test_deep_thermal_video(tmp_path: Path) -> None:
    deep = write_video(tmp_path / "deep.mkv", 3, "ir", pixels="gray16le")
    image = open_pair(None, deep).frame(1).ir
    assert image is not None and image.dtype == np.uint16 and (image == 14_200).all()
    grey = open_pair(None, write_video(tmp_path / "grey.mkv", 3, "ir", pixels="gray")).frame(2).ir
    assert grey is not None and grey.shape == (24, 32) and (grey == 152).all()


def test_video_and_folder_together(tmp_path: Path) -> None:
    write_frames(tmp_path / "thermal", "%03d.png", list(range(6)), "ir")
    sequence = open_pair(write_video(tmp_path / "a.mp4", 6, "rgb"), tmp_path / "thermal", name="mixed")
    assert sequence.name == "mixed" and "Paired by position" in sequence.info.notes[0]
    assert sequence.frame(2).time == pytest.approx(2 / 25)
    frame = sequence.frame(4)
    assert frame.rgb is not None and frame.ir is not None and which(frame.rgb) == which(frame.ir) == 4


def test_two_folders_and_one_alone(tmp_path: Path) -> None:
    write_frames(tmp_path / "eye", "left_%d.png", list(range(8, 12)), "rgb")
    write_frames(tmp_path / "heat", "t%04d.png", list(range(4)), "ir")
    both = open_pair(tmp_path / "eye", tmp_path / "heat")
    assert len(both) == 4 and both.groundtruth is None and both.name == "eye_heat"
    (note,) = both.info.notes
    assert "Paired by position" in note and "--fps" in note and both.frame(1).time is None
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
    with pytest.raises(UserError, match=r"Expected a folder of images, a video .* for the visible camera"):
        open_pair(tmp_path / address, None)
    with pytest.raises(UserError, match="Expected --rgb, --ir or both"):
        open_pair(None, None)


def test_cameras_that_are_not_there() -> None:
    with pytest.raises(UserError, match="Cannot open the thermal camera '97'"):
        open_pair(None, "97")
    with pytest.raises(UserError, match=r"got 'file:///nowhere/at/all\.mp4' \(nothing there\)"):
        open_pair("file:///nowhere/at/all.mp4", None)


def test_a_file_address_is_a_recording(tmp_path: Path) -> None:
    path = write_video(tmp_path / "two words.mp4", 6, "rgb")
    sequence = open_pair(path.as_uri(), None)
    assert "%20" in path.as_uri() and len(sequence) == 6 and sequence.name == "two_words"


def test_an_address_with_a_duration_is_a_recording(tmp_path: Path) -> None:
    write_video(tmp_path / "day.mp4", 6, "rgb")
    with serve(tmp_path) as address:
        sequence = open_pair(f"{address}/day.mp4", None)
        assert len(sequence) == 6 and [which(frame.rgb) for frame in sequence] == list(range(6))
        assert parse_address(f"{address}/day.mp4").place == f"{address}/day.mp4"
        for live in ("camera", "absent.mp4"):
            assert parse_address(f"{address}/{live}").live


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The folder's files over HTTP on a free port of this machine."""
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/camera":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
        self.end_headers()
        with suppress(OSError):  # who watched has gone
            for index in range(400):
                part = cv2.imencode(".jpg", picture(index % 12, "rgb"))[1].tobytes()
                head = f"--b\r\nContent-Type: image/jpeg\r\nContent-Length: {len(part)}\r\n\r\n"
                self.wfile.write(head.encode() + part + b"\r\n")
                sleep(0.02)

    def log_message(self, format: str, *args: Any) -> None:
        return


def test_streams_of_one_file(tmp_path: Path) -> None:
    path = tmp_path / "both.mkv"
    with av.open(str(path), "w") as container:
        streams: list[Any] = [container.add_stream("ffv1", rate=Fraction(25)) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = SIZE[0], SIZE[1], "bgr0"
        for index in range(6):
            for stream, camera in zip(streams, ("rgb", "ir"), strict=True):
                frame = av.VideoFrame.from_ndarray(picture(index, camera), format="bgr24")
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())
    sequence = open_pair(f"{path}#0", f"{path}#1")
    assert shown(sequence) == [(index, index) for index in range(6)]
    for camera, stream in (("rgb", 0), ("ir", 1)):
        assert (sequence.frame(4).picture(camera) == open_pair(f"{path}#{stream}", None).frame(4).rgb).all()
    for given in ((path, path), (f"{path}#1", f"{path}#1"), (path, f"{path}#0"), (path.as_uri(), path)):
        with pytest.raises(UserError, match=r"both\.mkv' was given for both cameras.*both\.mkv#0 and .*both\.mkv#1"):
            open_pair(*given)
    (tmp_path / "odd#1").mkdir()
    write_frames(tmp_path / "odd#1", "%d.png", [0, 1], "rgb")
    assert len(open_pair(tmp_path / "odd#1", None)) == 2, "a name that is there is taken as it is"


def test_pages_of_a_tiff(tmp_path: Path) -> None:
    pages = np.stack([picture(index, "ir")[..., 0].astype(np.uint16) * 100 for index in range(4)])
    tifffile.imwrite(tmp_path / "heat.tif", pages, photometric="minisblack")
    write_frames(tmp_path / "eye", "%d.png", list(range(4)), "rgb")
    sequence = open_pair(tmp_path / "eye", tmp_path / "heat.tif")
    assert len(sequence) == 4 and "Paired by position" in sequence.info.notes[0] and sequence.name == "eye_heat"
    np.testing.assert_array_equal(sequence.frame(3).ir, pages[3])
    slow = open_pair(tmp_path / "eye", tmp_path / "heat.tif", fps=(8, 4))
    assert [frame.ir_index for frame in slow] == [0, 0, 1, 1, 3], "the visible camera ends first"


def test_one_live_address_for_both_cameras() -> None:
    with pytest.raises(UserError, match="'rtsp://camera/heat' was given for both cameras"):
        open_pair("rtsp://camera/heat", "rtsp://camera/heat")


def test_rates_say_nothing_about_live_cameras() -> None:
    for said in ({"fps": (30, 9)}, {"pair": "index"}, {"times": {"ir": "t.csv"}}):
        with pytest.raises(UserError, match="Live cameras are paired by the time of arrival"):
            open_pair("rtsp://camera/eye", "rtsp://camera/heat", **said)


@pytest.mark.parametrize("said", [{"fps": 0}, {"fps": (30, -9)}, {"offset": float("nan")}, {"pair": "name"}])
def test_impossible_times_are_refused(said) -> None:
    with pytest.raises(UserError, match="Expected"):
        open_pair("a.mp4", "b.mp4", **said)


def test_pictures_of_another_shape_are_noted(tmp_path: Path) -> None:
    write_frames(tmp_path / "eye", "%d.png", [0, 1], "rgb")
    for number in range(2):
        (tmp_path / "heat").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "heat" / f"{number}.png"), np.zeros((40, 40), np.uint8))
    notes = open_pair(tmp_path / "eye", tmp_path / "heat").info.notes
    assert any("(40x40) are of another shape than the visible ones (32x24)" in n and "--homography" in n for n in notes)
