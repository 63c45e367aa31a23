"""Hostile requests to the demo page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np


class Wish(NamedTuple):
    """A request, and the statuses that refuse it."""

    name: str
    method: str
    path: str
    options: dict[str, Any]


NUMBERS = (
    "1e400",
    "-1e400",
    "NaN",
    "Infinity",
    '"x"',
    "null",
    "[]",
    "{}",
    "true",
    "9" * 5000,
    "1e-300",
    "-1",
    "0",
    "1e9",
)
PICTURE = cv2.imencode(".png", np.zeros((24, 32), np.uint8))[1].tobytes()
NAMES = ("../../etc/passwd", "%2e%2e%2f", "x", "", "\x00", "a" * 5000)


def _json(path: str, text: str) -> tuple[str, str, dict[str, Any]]:
    return "POST", path, {"content": text.encode(), "headers": {"content-type": "application/json"}}


def _starts() -> Iterator[tuple[str, tuple[str, str, dict[str, Any]]]]:
    path = "/api/sessions/{id}/start"
    for number in NUMBERS:
        if number not in ("-1", "0", "1e-300"):  # which are places
            yield f"box of {number[:12]}", _json(path, f'{{"boxes": [[{number}, 2, 30, 30]], "modalities": ["rgb"]}}')
        yield f"width of {number[:12]}", _json(path, f'{{"boxes": [[1, 2, {number}, 30]], "modalities": ["rgb"]}}')
        if number != "0":
            wanted = f'{{"frame": {number}, "box": [1, 2, 30, 30]], "modalities": ["rgb"]}}'
            yield f"frame {number[:12]}", _json(path, wanted)
    for text in ("", "{", "[]", "3", '{"boxes": []}', "[" * 20_000, '{"boxes": [[1,2,3,4]], "modalities": []}'):
        yield f"start with {text[:20]!r}", _json(path, text)
    for name in ('"sonar"', '["rgb"]', "3", '"' + "x" * 5000 + '"', '"../rgb"'):
        yield f"modality {name[:12]}", _json(path, f'{{"boxes": [[1, 2, 30, 30]], "modalities": [{name}]}}')


def _steps() -> Iterator[tuple[str, tuple[str, str, dict[str, Any]]]]:
    path = "/api/sessions/{id}/step"
    for text in (
        "",
        "{",
        "[]",
        '{"modalities": []}',
        '{"modalities": ["sonar"]}',
        '{"modalities": "rgb"}',
        "[" * 20_000,
    ):
        yield f"step with {text[:20]!r}", _json(path, text)


def _paths() -> Iterator[tuple[str, tuple[str, str, dict[str, Any]]]]:
    for name in NAMES:
        for rest in ("rgb/0.jpg", "ir/0.jpg", "fused/0.png"):
            yield f"{rest} of session {name[:12]!r}", ("GET", f"/api/sessions/{name}/{rest}", {})
        yield f"step of session {name[:12]!r}", _json(f"/api/sessions/{name}/step", '{"modalities": ["rgb"]}')
    for index in ("-1", "99999", "9" * 5000, "x", "1e3", "0x1", "%00"):
        yield f"picture {index[:12]}", ("GET", f"/api/sessions/{{id}}/rgb/{index}.jpg", {})
        yield f"fused picture {index[:12]}", ("GET", f"/api/sessions/{{id}}/fused/{index}.png", {})
    for camera in ("sonar", "..", "RGB", "%2e%2e"):
        yield f"camera {camera}", ("GET", f"/api/sessions/{{id}}/{camera}/0.jpg", {})
    for file in (
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/docs",
        "/openapi.json",
        "/etc/passwd",
    ):
        yield f"file {file}", ("GET", file, {})


def _scenes() -> Iterator[tuple[str, tuple[str, str, dict[str, Any]]]]:
    for name in ("", "moon", "../street", "street-999", "x" * 5000, "\x00"):
        yield f"scene {name[:12]!r}", ("POST", "/api/scenes", {"data": {"scene": name}})


def _uploads() -> Iterator[tuple[str, tuple[str, str, dict[str, Any]]]]:
    contents = {
        "nothing": b"",
        "text": b"hello",
        "a page": b"<html>",
        "half a PNG": PICTURE[: len(PICTURE) // 2],
        "the head of a PNG": PICTURE[:8],
        "a damaged PNG": PICTURE[:20] + b"\xff" * 40 + PICTURE[60:],
        "the head of a JPEG": b"\xff\xd8\xff\xe0" + bytes(60),
        "a bitmap of 4 billion pixels": b"BM" + bytes(12) + b"(\0\0\0\xff\xff\0\0\xff\xff\0\0\1\0\x18\0" + bytes(24),
        "half a TIFF": b"II*\0\x08\0\0\0\xff\xff",
        "the head of an MP4": b"\0\0\0\x18ftypmp42" + bytes(40),
        "the head of an AVI": b"RIFF\xff\xff\xff\xffAVI " + bytes(40),
        "the head of a Matroska": b"\x1a\x45\xdf\xa3" + bytes(40),
    }
    for name, content in contents.items():
        for camera in ("rgb", "ir"):
            yield f"upload of {name} ({camera})", ("POST", "/api/uploads", {"files": [(camera, ("a.png", content))]})
    both = [("rgb", ("a.png", PICTURE)), ("ir", ("b.png", contents["half a PNG"]))]
    yield "one of two that is damaged", ("POST", "/api/uploads", {"files": both})
    yield "no files", ("POST", "/api/uploads", {"data": {"a": "b"}})
    yield (
        "a form that is none",
        ("POST", "/api/uploads", {"content": b"x", "headers": {"content-type": "multipart/form-data"}}),
    )
    boundary = {"content-type": "multipart/form-data; boundary=x"}
    yield "a form without an end", ("POST", "/api/uploads", {"content": b"--x\r\n", "headers": boundary})


def _heads() -> Iterator[tuple[str, tuple[str, str, dict[str, Any]]]]:
    for host in ("evil.example", "", "127.0.0.1.evil.example", "x" * 3000):
        yield f"host {host[:20]!r}", ("GET", "/api/about", {"headers": {"host": host}})
    for origin in ("http://evil.example", "null", "file://", "http://127.0.0.1:1"):
        yield f"origin {origin}", ("POST", "/api/scenes", {"data": {"scene": "street"}, "headers": {"origin": origin}})
    for length in ("-1", "many", "1e3", "9" * 400, "²"):
        options = {"content": b"x", "headers": {"content-length": length.encode("latin-1")}}
        yield f"length {length[:12]}", ("POST", "/api/scenes", options)
    for method in ("PUT", "PATCH", "TRACE", "OPTIONS"):
        yield f"{method}", (method, "/api/scenes", {})


def wishes() -> list[Wish]:
    """All requests; ``{id}`` in a path is an open session."""
    every = (*_starts(), *_steps(), *_paths(), *_scenes(), *_uploads(), *_heads())
    return [Wish(name, method, path, options) for name, (method, path, options) in every]


def verdict(wish: Wish, client: Any, session: str, root: str) -> str:
    """What became of a request: "refused", or what is wrong with the answer."""
    path = wish.path.replace("{id}", session)
    try:
        answer = client.request(wish.method, path, **wish.options)
    except Exception as error:  # of the client itself: such a request cannot even be sent
        return "refused" if type(error).__module__.startswith(("httpx", "h11")) else f"traceback ({error!r})"
    if answer.status_code >= 500:
        return f"status {answer.status_code}"
    if answer.status_code < 400:
        return "silent success"
    if root in answer.text or "/tmp/" in answer.text or "Traceback" in answer.text:
        return "shows a path of the server"
    if (
        answer.status_code in (400, 422)
        and "detail" in answer.text
        and not isinstance(json.loads(answer.text)["detail"], str)
    ):
        return "no sentence"
    return "refused"
