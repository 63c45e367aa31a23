"""The demo's connections: one whose request does not arrive is closed."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = 20.0
"""Seconds in which a request's first line and headers must have arrived; `Patience` minds its body."""


class Connection(H11Protocol):
    """uvicorn's connection, which is closed `HEAD` seconds after it was opened, or after a further request began, where
    the headers have not ended by then, however steadily they trickle. uvicorn itself limits only their bytes."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._mind_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._mind_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _mind_head(self) -> None:
        """Let the time run where a head is due, and only there."""
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD, self.transport.close)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
