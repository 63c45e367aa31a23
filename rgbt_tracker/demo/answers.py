"""How the demo answers: without the server's folders, and not for ever."""

from __future__ import annotations

import asyncio
import re
import time

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FOLDERS = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?[/\\](?:[^/\\\s'\"]+[/\\])+")


def without_folders(sentence: str) -> str:
    """The sentence with files by their names alone: where they lie on the server is nobody's business."""
    return _FOLDERS.sub("", sentence)


TRICKLE = 40
"""Times the patience that a body may take in all, however steadily it trickles."""


class Patience:
    """ASGI middleware that gives a request up whose body stalls: it is answered, and the rest of it is not read.

    Args:
        seconds: without a byte; a body that arrives in bits has `TRICKLE` times as long in all.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app, self.seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        whole = given_up = False
        end = time.monotonic() + TRICKLE * self.seconds

        async def patient() -> Message:
            nonlocal whole, given_up
            if whole:
                return await receive()
            left = end - time.monotonic()
            try:
                message = await asyncio.wait_for(receive(), min(self.seconds, left))
            except asyncio.TimeoutError:
                given_up = True
                sentence = f"Nothing of the upload arrived for {self.seconds:g} s, so it was given up; try again."
                if left < self.seconds:
                    sentence = f"The upload took longer than {TRICKLE * self.seconds:g} s, so it was given up."
                await JSONResponse({"detail": sentence}, 408, {"connection": "close"})(scope, receive, send)
                return {"type": "http.disconnect"}
            whole = not message.get("more_body", False)
            return message

        async def answer(message: Message) -> None:
            if not given_up:
                await send(message)

        await self.app(scope, patient, answer)
