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
