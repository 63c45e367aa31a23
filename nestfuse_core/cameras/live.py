"""A live camera: a thread reads it all the time and keeps the newest pictures, each with the moment it came."""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import Image
from nestfuse_core.common.video_stream import DamagedPictureError, StreamEndedError, VideoStream

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 10.0)
"""Seconds before each attempt to open a stream again; the last before all that follow."""
HELD = 3
"""Newest pictures of a camera that are held, so that the one nearest to a picture of the other is among them."""
RECENT, APART = 31, 4
"""The usual interval is the median of those between pictures ``APART`` apart among the ``RECENT`` newest: networks
deliver several at a time, and a gap is not usual."""
UNKNOWN_INTERVAL = 0.1
DAMAGED = 30
"""Pictures in a row that cannot be decoded before the stream counts as lost."""


class Capture(Protocol):
    """What pictures are taken from; a stream or a device. `VideoStream` says what is raised when."""

    fps: float | None

    def grab(self) -> None:
        """Wait for the next picture."""

    def retrieve(self) -> Image:
        """Convert it."""

    def close(self) -> None:
        """Let go of it."""


class Device:
    """A camera of this computer through OpenCV, by index or as /dev/videoN; used as `VideoStream` is."""

    def __init__(self, address: str) -> None:
        self._capture = cv2.VideoCapture(int(address) if address.isdecimal() else address)
        if not self._capture.isOpened():
            self._capture.release()
            raise StreamEndedError("no such device, or another program uses it")
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # drivers queue old pictures
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS) or 0) or None

    def grab(self) -> None:
        if not self._capture.grab():
            raise StreamEndedError("the device delivers no more")

    def retrieve(self) -> Image:
        try:
            arrived, image = self._capture.retrieve()
        except cv2.error as error:
            raise DamagedPictureError(str(error)) from error
        if not arrived or image is None:
            raise DamagedPictureError("no picture in it")
        return image

    def close(self) -> None:
        self._capture.release()


def is_device(address: str) -> bool:
    """Whether an address is a camera of this computer: its index or its device."""
    return address.isdecimal() or address.startswith("/dev/")


def is_live(address: str) -> bool:
    """Whether an address is a camera's: of this computer, or a stream."""
    return is_device(address) or "://" in address


def open_capture(address: str) -> Capture:
    """Open a camera by index or device, or a stream. Raises StreamEndedError with the reason."""
    return Device(address) if is_device(address) else VideoStream(address)


@dataclass(frozen=True)
class Arrival:
    """A picture of a live camera.

    Attributes:
        index: how many came before it.
        time: when it came, in seconds of `time.monotonic`.
        image: as the capture delivers it.
    """

    index: int
    time: float
    image: Image


@dataclass(frozen=True)
class Event:
    """What happened to a camera: "lost", "back" or "size" (its pictures have another one), and when."""

    kind: str
    time: float
    detail: str = ""


class LiveCamera:
    """A camera that is read by a thread of its own from `start` to `close`, and opened again when it drops.

    Attributes:
        interval: usual seconds between two pictures, measured; `UNKNOWN_INTERVAL` before that.
        arrived, damaged: pictures that came, and those that could not be decoded.
        events: what happened, oldest first.
        lost_since: when the stream dropped, or None while it delivers.
        failure: an error that ended the thread, or None.
        span: seconds of pictures to hold before the `HELD` that are held in any case; 0 by default.
        on_change: called by the thread after everything that happens.

    Args:
        address: "0", "/dev/video2", "rtsp://...", "http://...".
        name: for messages: "visible camera".
        opener: opens the address, now and after every loss.
        clock: seconds.
        rest: waits for seconds, and says whether the camera was closed meanwhile.

    Raises:
        UserError: it cannot be opened.
    """

    def __init__(
        self,
        address: str,
        name: str = "camera",
        opener: Callable[[str], Capture] | None = None,
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], bool] | None = None,
    ) -> None:
        self.address, self.name = address, name
        self._opener, self._clock = opener or open_capture, clock
        self._closed, self._lock = threading.Event(), threading.Lock()
        self._rest = rest or self._closed.wait
        try:
            self._capture: Capture | None = self._opener(address)
        except StreamEndedError as error:
            raise UserError(
                f"Cannot open the {name} '{address}' ({error}); expected a camera index such as 0, a device or a "
                "stream address such as rtsp://host/path that is switched on and not used by another program."
            ) from error
        self.fps = self._capture.fps
        self.interval, self.span = UNKNOWN_INTERVAL, 0.0
        self.arrived = self.damaged = self._damaged_now = self._attempts = 0
        self.events: list[Event] = []
        self.lost_since: float | None = None
        self.failure: BaseException | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._held: deque[Arrival] = deque()
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._size: tuple[int, ...] | None = None
        self._thread = threading.Thread(target=self._run, name=f"live {name}", daemon=True)

    def start(self) -> None:
        """Begin to read; nothing where it has begun."""
        if self._thread.ident is not None:
            return
        # A thread that is torn down inside a decoder, when the interpreter ends, aborts the process.
        atexit.register(self.close)
        self._thread.start()

    def stop(self) -> None:
        """Have the thread end after the picture or the attempt in hand."""
        self._closed.set()

    def close(self) -> None:
        """`stop`, wait for the thread to end, and let go of the camera."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join()
        elif self._capture is not None:
            self._release()
        atexit.unregister(self.close)

    @property
    def measured(self) -> bool:
        """Whether enough pictures came to know the interval."""
        return len(self._recent) > APART

    def held(self) -> tuple[Arrival, ...]:
        """The newest pictures, oldest first: those of ``span`` seconds, and `HELD` more."""
        with self._lock:
            return tuple(self._held)

    def step(self) -> None:
        """Take one picture, or make one attempt to open the stream again: all that the thread does, over and over."""
        if self._capture is None:
            self._reopen()
        else:
            self._take(self._capture)
        self.on_change()

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                self.step()
        except BaseException as error:
            self.failure = error
            self._lose(f"{type(error).__name__}: {error}")
            self.on_change()
        finally:
            self._release()

    def _release(self) -> None:
        if self._capture is not None:
            self._capture.close()
            self._capture = None

    def _reopen(self) -> None:
        pause = PAUSES[min(self._attempts, len(PAUSES) - 1)]
        self._attempts += 1
        if self._rest(pause):
            return
        try:
            self._capture = self._opener(self.address)
        except StreamEndedError:
            return

    def _take(self, capture: Capture) -> None:
        try:
            capture.grab()
            now = self._clock()
            image = capture.retrieve()
        except StreamEndedError as end:
            self._lose(str(end))
        except DamagedPictureError as error:
            self._damaged_now += 1
            self.damaged += 1
            if self._damaged_now >= DAMAGED:
                self._lose(str(error))
        else:
            self._keep(image, now)

    def _lose(self, reason: str) -> None:
        self._release()
        self._damaged_now = 0
        # A stream that opens and ends without a picture was not back.
        if self.lost_since is None:
            self.lost_since = self._clock()
            self.events.append(Event("lost", self.lost_since, reason))
            self._recent.clear()

    def _keep(self, image: Image, now: float) -> None:
        size = image.shape[:2]
        if self.lost_since is not None:
            self.events.append(Event("back", now))
        if self._size is not None and size != self._size:
            was, new = (f"{width}x{height}" for height, width in (self._size, size))
            self.events.append(Event("size", now, f"from {was} to {new}"))
        self.lost_since, self._size, self._attempts, self._damaged_now = None, size, 0, 0
        self._measure(now)
        with self._lock:
            # One that comes at the heels of another had waited with it, and came nobody knows when: the older one of
            # the two was kept for too long by whatever held them up.
            if self._held and now - self._held[-1].time < self.interval / 4:
                self._held.pop()
            self._held.append(Arrival(self.arrived, now, image))
            self.arrived += 1
            while len(self._held) > HELD and self._held[HELD].time <= now - self.span:
                self._held.popleft()

    def _measure(self, now: float) -> None:
        self._recent.append(now)
        if self.measured:
            times = np.array(self._recent)
            self.interval = float(np.median(times[APART:] - times[:-APART])) / APART
