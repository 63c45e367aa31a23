"""Tracker runtimes for the toolkit's experiments. Importing this module needs vot-toolkit."""

from __future__ import annotations

import logging
from typing import Any

from vot.dataset import Frame
from vot.tracker import ObjectStatus, OnlineTrackerRuntime

LOGGER = logging.getLogger("vot")
PROTOCOL = "@@TRAX:"


class SingleTargetRuntime(OnlineTrackerRuntime):
    """Unwraps the lists of objects that the runtimes of toolkit 0.8 and later take and return.

    The toolkit's single-target and realtime experiments pass and expect one object.
    """

    def __init__(self, inner: Any) -> None:
        super().__init__(inner.tracker)
        self.inner = inner

    def initialize(self, frame: Frame, new: Any = None) -> tuple[ObjectStatus, float]:
        status, seconds = self.inner.initialize(frame, [new])
        return status[0], seconds

    def update(self, frame: Frame, new: Any = None) -> tuple[ObjectStatus, float]:
        status, seconds = self.inner.update(frame, [])
        return status[0], seconds

    def stop(self) -> None:
        self.inner.stop()

    def restart(self) -> None:
        self.inner.restart()


class ForwardingLog:
    """Collects a tracker's output, as the toolkit does, and shows its own lines to the user as they come."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._fragments: list[str] = []
        self._line = ""

    def __call__(self, fragment: str) -> None:
        self._line += fragment
        *lines, self._line = self._line.split("\n")
        for line in lines:
            if line.strip() and not line.startswith(PROTOCOL):
                self._fragments.append(line + "\n")
                LOGGER.info("%s: %s", self._name, line.rstrip())

    def __str__(self) -> str:
        return "".join(self._fragments) + self._line


def forward_log(runtime: Any, name: str) -> None:
    """Replace the runtime's silent log by one that reaches the user."""
    if getattr(runtime, "_output", None) is not None:
        runtime._output = ForwardingLog(name)
