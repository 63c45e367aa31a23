"""Uploads that stall or trickle end, and Ctrl-C ends the demo at once."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

pytest.importorskip("fastapi", reason="needs the demo's extra: pip install -e '.[demo]'")


def answered(pause: float, pieces: int, seconds: float) -> tuple[int, bytes]:
    """Status and body of the answer to a body in pieces, ``pause`` apart, that never ends."""
    from rgbt_tracker.demo.answers import Patience

    sent = []

    async def takes_all(scope, receive, send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def receive():
        nonlocal pieces
        pieces -= 1
        await asyncio.sleep(pause if pieces >= 0 else 60)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message) -> None:
        sent.append(message)

    asyncio.run(Patience(takes_all, seconds)({"type": "http"}, receive, send))
    return sent[0]["status"], sent[1]["body"]


def test_an_upload_that_stalls_is_given_up() -> None:
    status, body = answered(0.0, 3, 0.05)
    assert status == 408 and b"Nothing of the upload arrived for 0.05 s" in body


def test_an_upload_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rgbt_tracker.demo.answers.TRICKLE", 2)
    status, body = answered(0.02, 1000, 0.1)
    assert status == 408 and b"took longer than 0.2 s" in body


def test_a_head_that_does_not_end_closes_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """And only that: the others are answered, and stay open for their next request."""
    uvicorn = pytest.importorskip("uvicorn", reason="needs the demo's extra: pip install -e '.[demo]'")
    from starlette.responses import PlainTextResponse

    from rgbt_tracker.demo.connections import Connection

    monkeypatch.setattr("rgbt_tracker.demo.connections.HEAD", 0.4)
    server = uvicorn.Server(uvicorn.Config(PlainTextResponse("answer"), http=Connection, log_level="warning", port=0))
    whole = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    async def trickle(*starts: bytes) -> float:
        """Seconds until the connection is closed that says this and then a letter from time to time."""
        reader, writer = await asyncio.open_connection("127.0.0.1", server.servers[0].sockets[0].getsockname()[1])
        for start in starts[:-1]:
            writer.write(start)
            assert b"answer" in await asyncio.wait_for(reader.read(4096), 10)
        begin = time.monotonic()
        writer.write(starts[-1])
        closed = asyncio.ensure_future(reader.read())
        while not closed.done() and time.monotonic() - begin < 10:
            await asyncio.wait({closed}, timeout=0.05)
            writer.write(b"a")
        writer.close()
        return time.monotonic() - begin

    async def everything() -> list[float]:
        serving = asyncio.ensure_future(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        silent, began, second = b"", b"GET / HTTP/1.1\r\nX: ", b"GET / HT"
        took = await asyncio.gather(trickle(silent), trickle(began), trickle(whole, whole, second))
        server.should_exit = True
        await serving
        return took

    assert all(0.3 < seconds < 5 for seconds in asyncio.run(everything()))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_it_though_an_upload_is_open() -> None:
    pytest.importorskip("uvicorn", reason="needs the demo's extra: pip install -e '.[demo]'")
    command = [sys.executable, "-m", "rgbt_tracker.cli.main", "demo", "--port", "0", "--weights", "untrained"]
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().split(" in a browser")[0].rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), 60) as upload:
            upload.sendall(b"POST /api/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\nabc")
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=25)  # less than the patience with a stalled upload
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "Traceback" not in said
