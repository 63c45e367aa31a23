"""Network streams: whole, damaged, cut off, of changing size."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from nestfuse_core.common import video_stream
from nestfuse_core.common.video_stream import DamagedPictureError, StreamEndedError, VideoStream


def jpeg(level: int, size: tuple[int, int] = (64, 48)) -> bytes:
    return cv2.imencode(".jpg", np.full((size[1], size[0], 3), level, np.uint8))[1].tobytes()


@contextmanager
def sending(
    parts: list[bytes], kind: str = "multipart/x-mixed-replace; boundary=b", hang: bool = False
) -> Iterator[str]:
    """The address of a server that sends JPEGs and closes the connection, or keeps it and is silent."""
    over = threading.Event()

    class Sender(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            for part in parts:
                self.wfile.write(f"--b\r\nContent-Type: image/jpeg\r\nContent-Length: {len(part)}\r\n\r\n".encode())
                self.wfile.write(part + b"\r\n")
            if hang:
                over.wait(20)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sender)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def read(stream: VideoStream) -> list[tuple[int, tuple[int, ...]] | str]:
    """Grey level and shape of each picture, "damaged" for one that is none, to the end."""
    found: list[tuple[int, tuple[int, ...]] | str] = []
    while True:
        try:
            stream.grab()
        except DamagedPictureError:
            found.append("damaged")
        except StreamEndedError:
            stream.close()
            return found
        else:
            image = stream.retrieve()
            found.append((round(float(image.mean()), -1), image.shape))


def test_pictures_of_changing_size_and_one_that_is_none() -> None:
    # What is sent while the format is found out is not kept, so that the first pictures may be missing.
    parts = [jpeg(50)] * 12 + [b"no picture at all"] + [jpeg(100, (32, 24))] * 2 + [jpeg(150)]
    with sending(parts) as address:
        found = read(VideoStream(address))
    assert found[-4:] == ["damaged", (100, (24, 32, 3)), (100, (24, 32, 3)), (150, (48, 64, 3))]
    assert set(found[:-4]) == {(50, (48, 64, 3))}


def test_a_stream_that_falls_silent_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_stream, "SILENCE", 0.3)
    with sending([jpeg(50)] * 12, hang=True) as address:
        assert set(read(VideoStream(address))) == {(50, (48, 64, 3))}


def test_what_is_no_video_is_no_stream() -> None:
    with sending([b"<p>Sign in"], kind="text/html") as address, pytest.raises(StreamEndedError, match=r"\w"):
        VideoStream(address)
