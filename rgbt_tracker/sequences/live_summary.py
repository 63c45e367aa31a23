"""What is told about live cameras when a run ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from nestfuse_core.cameras.live import Arrival, Event, LiveCamera
from rgbt_tracker.sequences.images import CAMERAS

TOLD = 5
"""Losses of a camera that are told one by one."""


class LiveSummary:
    """Counts the pairs of live cameras, and tells them with what happened to the cameras.

    Args:
        cameras: "rgb", "ir" -> camera.
    """

    def __init__(self, cameras: Mapping[str, LiveCamera]) -> None:
        self._cameras = cameras
        self._began: float | None = None
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._used: Counter[str] = Counter()
        self._alone: Counter[str] = Counter()
        self._both = 0
        self._apart = self._furthest = 0.0

    def begin(self, now: float) -> None:
        """Frames are asked for from now on."""
        if self._began is None:
            self._began = now

    def count(self, pair: Mapping[str, Arrival], lead: str) -> None:
        """Take note of a pair that was used; ``lead`` is the camera that is there in any case."""
        for camera, arrival in pair.items():
            self._first.setdefault(camera, arrival.index)
            self._used[camera] += self._last.get(camera) != arrival.index
            self._last[camera] = arrival.index
        if len(pair) == 1:
            self._alone[lead] += 1
            return
        apart = abs(pair["rgb"].time - pair["ir"].time)
        self._both += 1
        self._apart += apart
        self._furthest = max(self._furthest, apart)

    def lines(self, broken: bool, patience: float) -> list[str]:
        """Lines for the user.

        Args:
            broken: the streams ended by themselves.
            patience: seconds that were waited for them to come back.
        """
        lines = [line for camera in self._cameras for line in self._camera_lines(camera)]
        if len(self._cameras) == 2:
            lines.append(self._pair_line())
        if broken:
            lines.append(f"ended: no camera delivered anything, or could be opened again, for {patience:g} s")
        return lines

    def _camera_lines(self, camera: str) -> list[str]:
        source, name = self._cameras[camera], f"{CAMERAS[camera]} camera"
        came = source.arrived - self._first.get(camera, 0)
        rate = f", {1 / source.interval:.1f} a second" if source.measured else ""
        lines = [f"{name}: {came} pictures came{rate}; {self._used[camera]} used"]
        happened = self._events(list(source.events))
        lines += [f"{name}: {line}" for line in happened[:TOLD]]
        if len(happened) > TOLD:
            lines.append(f"{name}: and {len(happened) - TOLD} times more")
        if source.damaged:
            lines.append(f"{name}: {source.damaged} pictures could not be decoded")
        return lines

    def _events(self, events: list[Event]) -> list[str]:
        lines = []
        for event in events:
            at = f"{max(0.0, event.time - (self._began or 0.0)):.1f} s"
            if event.kind == "lost":
                lines.append(f"lost at {at} ({event.detail})")
            elif event.kind == "back":
                lines[-1] += f", back at {at}"
            else:
                lines.append(f"picture size changed at {at}, {event.detail}; scaled to the first one's")
        return lines

    def _pair_line(self) -> str:
        frames = self._both + self._alone.total()
        parts = [f"pairs: {self._both} of {frames} frames have both cameras"]
        if self._both:
            mean, most = 1000 * self._apart / self._both, 1000 * self._furthest
            parts[0] += f", {mean:.0f} ms apart on average and {most:.0f} ms at most"
        parts += [f"{count} have the {CAMERAS[camera]} one alone" for camera, count in self._alone.items()]
        return "; ".join(parts)
