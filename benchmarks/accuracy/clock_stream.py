"""Streams whose pictures tell when they were taken: local MJPEG servers, as network cameras are, for `live_pairing.py`.

The time is a row of black and white squares, a bit each, in milliseconds of `time.monotonic`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
BITS, SIDE = 32, 16
"""How many squares there are, and their side in pixels."""


def draw_clock(seconds: float, size: tuple[int, int] = (640, 480)) -> Image:
    """A grey picture, (H, W, 3), with a time in its upper left corner; ``size`` is (width, height)."""
    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    bits = (int(1000 * seconds) >> np.arange(BITS)) & 1
    picture[:SIDE, : BITS * SIDE] = np.repeat(bits * 255, SIDE)[None, :, None]
    return picture


def read_clock(picture: Image) -> float:
    """The seconds that a picture shows, whatever compression did to it."""
    row = picture[SIDE // 2, SIDE // 2 : BITS * SIDE : SIDE]
    return int((np.reshape(row, (BITS, -1)).mean(1) > 127) @ (1 << np.arange(BITS))) / 1000


class ClockStream(ThreadingHTTPServer):
    """A server that sends the time ``fps`` times a second to everybody who asks, at ``address``.

    Attributes:
        down: set it, and every connection is cut and every new one refused until it is cleared.
        size: (width, height) of the pictures.
    """

    daemon_threads = True

    def __init__(self, fps: float) -> None:
        super().__init__(("127.0.0.1", 0), _Sender)
        self.fps, self.size, self.down = fps, (640, 480), threading.Event()
        self.address = f"http://127.0.0.1:{self.server_port}/"

    def pictures(self) -> Iterator[bytes]:
        """JPEGs, each made when it is due, until the server goes down."""
        due = time.monotonic()
        while not self.down.is_set():
            due += 1 / self.fps
            time.sleep(max(0.0, due - time.monotonic()))
            yield cv2.imencode(".jpg", draw_clock(time.monotonic(), self.size))[1].tobytes()


class _Sender(BaseHTTPRequestHandler):
    server: ClockStream

    def do_GET(self) -> None:
        if self.server.down.is_set():
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        try:
            for picture in self.server.pictures():
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                self.wfile.write(head.encode() + picture + b"\r\n")
        except OSError:
            return  # who watched has gone

    def log_message(self, format: str, *args: object) -> None:
        """No line for every connection."""


@contextmanager
def clock_streams(*rates: float) -> Iterator[list[ClockStream]]:
    """Servers that send this many pictures a second each, as long as the block runs."""
    servers = [ClockStream(rate) for rate in rates]
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield servers
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.down.set()
            server.shutdown()
            server.server_close()
            thread.join()
