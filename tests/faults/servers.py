"""Bad servers: what may answer where weights, a dataset's description or its archives are asked for."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from judge import Case, guarded

Answer = Callable[[BaseHTTPRequestHandler], None]
STALL = 0.8
"""Seconds that a server says nothing; the tests let the program wait for less."""


def answer(status: int = 200, body: bytes = b"", **headers: Any) -> Answer:
    """A plain answer; ``headers`` with _ for -."""

    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content_Length": len(body), **headers}.items():
            if value is not None:
                request.send_header(name.replace("_", "-"), str(value))
        request.end_headers()
        request.wfile.write(body)

    return send


def raw(data: bytes) -> Answer:
    """Bytes that need be no HTTP."""

    def send(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(data)
        request.close_connection = True

    return send


def stalling(before: bytes) -> Answer:
    def send(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(before)
        request.wfile.flush()
        time.sleep(STALL)
        request.close_connection = True

    return send


def endless(status: int = 200, **headers: Any) -> Answer:
    """An answer without an end, or of more bytes than it says; it stops at 64 MB, which nobody should take."""

    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), str(value))
        request.end_headers()
        for _ in range(1024):
            request.wfile.write(b"x" * (1 << 16))
        request.close_connection = True

    return send


@contextmanager
def serving(send: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            try:
                send(self)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Nothing: the program left, as it may."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
BODIES: dict[str, Answer] = {
    **{f"status {code}": answer(code, b"no") for code in (204, 400, 401, 403, 404, 410, 418, 429, 500, 502, 503, 599)},
    "nothing": raw(b""),
    "no HTTP": raw(b"hello\r\n\r\n"),
    "a status that is none": raw(b"HTTP/1.1 abc OK\r\n\r\n"),
    "half a header": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "half a body": raw(HEAD + b"x" * 50),
    "silence": stalling(b""),
    "silence after the header": stalling(HEAD),
    "silence after half": stalling(HEAD + b"x" * 50),
    "a length that is none": answer(body=b"abc", Content_Length="many"),
    "a length below zero": answer(body=b"abc", Content_Length=-5),
    "a length of 10 EB": answer(body=b"abc", Content_Length=10**19),
    "a length of 5000 digits": answer(body=b"abc", Content_Length="9" * 5000),
    "a page": answer(body=b"<html><p>no", Content_Type="text/html"),
    "a page with a form to itself": answer(body=b'<form action="/"><input name=a value=b>', Content_Type="text/html"),
    "a page with a form to a file": answer(body=b'<form action="file:///etc/passwd">', Content_Type="text/html"),
    "an endless page": endless(Content_Type="text/html"),
    "an endless file": endless(),
    "chunks that are none": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
    "a chunk of 8 EB": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nabc"),
    "packed bytes that are none": answer(body=b"abc", Content_Encoding="gzip"),
    "a redirection to itself": answer(302, Location="/"),
    "a redirection to a file": answer(302, Location="file:///etc/passwd"),
    "a redirection to nowhere": answer(302, Location="http://127.0.0.1:1/"),
    "a range that nobody asked for": answer(206, b"abc", Content_Range="bytes 5-7/8"),
    "a range that is none": answer(206, b"abc", Content_Range="bytes"),
    "nothing more": answer(416, Content_Range="bytes */0"),
    "other bytes": answer(body=b"x" * 40),
    "fewer bytes": answer(body=b"x" * 5),
    "a header of 100 kB": answer(body=b"x", X=("y" * 100_000)),
    "a thousand headers": answer(body=b"x", **{f"X{number}": 1 for number in range(1000)}),
}


def archive(*members: tuple[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return data.getvalue()


def description(**changes: Any) -> bytes:
    """A description of one sequence without frames; a change of None takes a key out."""
    entry: dict[str, Any] = {
        "name": "a",
        "annotations": {"url": "a.zip"},
        "channels": {"color": {"url": "c.zip"}, "ir": {"url": "i.zip"}},
    }
    entry = {key: value for key, value in {**entry, **changes}.items() if value is not None}
    return json.dumps({"sequences": [entry]}).encode()


def channel(**facts: Any) -> dict[str, Any]:
    return {"color": {"url": "c.zip", **facts}}


DESCRIPTIONS = {
    "not JSON": b"{",
    "a number": b"3",
    "no sequences": b'{"sequences": []}',
    "a text as sequences": b'{"sequences": "abc"}',
    "nested 20,000 deep": b"[" * 20_000 + b"]" * 20_000,
    "latin letters": "caf\xe9".encode("latin-1"),
    "a name that leads out": description(name="../../x"),
    "a path as name": description(name="/tmp/T"),
    "a name of two lines": description(name="a\nb"),
    "a dot as name": description(name=".."),
    "a number as name": description(name=3),
    "no name": description(name=None),
    "no annotations": description(annotations=None),
    "a text as annotations": description(annotations="x"),
    "a list of channels": description(channels=["color"]),
    "a channel that leads out": description(channels={"../x": {"url": "c.zip"}}),
    "a pattern that leads out": description(channels=channel(pattern="../../%08d.jpg")),
    "a pattern of two lines": description(channels=channel(pattern="%08d.jpg\nname=x")),
    "a pattern of a million digits": description(channels=channel(pattern="%01000000d.jpg")),
    "a rate that is none": description(fps="fast"),
    "an infinite rate": description(fps=float("inf")),
    "a size that is none": description(annotations={"url": "a.zip", "compressed": "much"}),
    "a size of 10 EB": description(annotations={"url": "a.zip", "uncompressed": 10**19}),
    "two of one name": json.dumps({"sequences": [json.loads(description())["sequences"][0]] * 2}).encode(),
    "an address of another kind": description(annotations={"url": "ftp://127.0.0.1/a.zip"}),
}
ARCHIVES = {
    "no archive": b"x" * 100,
    "half an archive": archive(("groundtruth.txt", b"1,2,3,4\n" * 1000))[:60],
    "a file outside": archive(("../../MARK", b"x")),
    "a whole path": archive(("/tmp/rgbt-MARK", b"x")),
    "a path of Windows": archive(("..\\..\\MARK", b"x")),
    "a drive of Windows": archive(("C:\\MARK", b"x")),
    "a bomb": archive(("groundtruth.txt", b"1" * 20_000_000)),
    "a file as folder": archive(("a", b"x"), ("a/b", b"x")),
    "nothing in it": archive(),
    "no ground truth": archive(("readme.txt", b"x")),
}


def _weights(send: Answer) -> Callable[[Path], Callable[[], None]]:
    def make(folder: Path) -> Callable[[], None]:
        from rgbt_tracker.zoo.download import fetch

        def work() -> None:
            with serving(send) as address:
                fetch(f"{address}/x", folder / "x.pth", size=30, attempts=2, pause=0.01)

        return guarded(work)

    return make


def _dataset(text: bytes, content: bytes | None = None) -> Callable[[Path], Callable[[], None]]:
    def send(request: BaseHTTPRequestHandler) -> None:
        found = text if request.path.endswith(".json") else content
        (answer(404) if found is None else answer(body=found))(request)

    def make(folder: Path) -> Callable[[], None]:
        from rgbt_tracker.vot.prepare import download

        def work() -> None:
            with serving(send) as address:
                download(folder / "sequences", f"{address}/description.json")

        return guarded(work)

    return make


def cases() -> list[Case]:
    """Every one is refused; the caller makes the program less patient."""
    named = {f"weights: {name}": _weights(send) for name, send in BODIES.items()}
    named |= {f"description: {name}": _dataset(text) for name, text in DESCRIPTIONS.items()}
    stated = description(annotations={"url": "a.zip", "uncompressed": 8000})
    named |= {f"archive: {name}": _dataset(stated, content) for name, content in ARCHIVES.items()}
    return [Case(name, make) for name, make in named.items()]
