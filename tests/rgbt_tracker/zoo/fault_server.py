"""A local file server that breaks on purpose, as real ones do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Behaviour:
    """What the server holds and how it misbehaves; ``requests`` records the Range header of every request."""

    body: bytes = b""
    tag: str | None = '"one"'
    ranges: bool = True
    break_after: list[int] = field(default_factory=list)  # bytes sent before the n-th connection is cut
    status: int | None = None
    confirm: bool = False  # answer with a confirmation form first, as Google Drive does
    only_page: bool = False
    requests: list[str | None] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        state = self.behaviour
        state.requests.append(self.headers.get("Range"))
        if state.status:
            self.send_error(state.status)
        elif state.only_page or (state.confirm and "confirm=t" not in self.path):
            self._page()
        else:
            self._file()

    def _page(self) -> None:
        form = (
            '<form id="download-form" action="/confirmed" method="get"><input type="hidden" name="id" value="42">'
            '<input type="hidden" name="confirm" value="t"></form>'
        )
        page = f"<html><body>{'' if self.behaviour.only_page else form}</body></html>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def _file(self) -> None:
        state, start = self.behaviour, 0
        wanted = self.headers.get("Range")
        same = self.headers.get("If-Range") in (None, state.tag)
        if wanted and state.ranges and same:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(state.body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(state.body)}")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(state.body) - 1}/{len(state.body)}")
        else:
            self.send_response(200)
        if state.tag:
            self.send_header("ETag", state.tag)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(state.body) - start))
        self.end_headers()
        rest = state.body[start:]
        cut = state.break_after.pop(0) if state.break_after else len(rest)
        self.wfile.write(rest[:cut])


@contextmanager
def serve(behaviour: Behaviour) -> Iterator[str]:
    """Yield the address of a server that behaves as told."""
    handler = type("Bound", (Handler,), {"behaviour": behaviour})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/weights.pth"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
