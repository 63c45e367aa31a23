"""Live cameras as a sequence of pairs, and sources that a user starts and stops by hand."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from nestfuse_core.cameras.live import Arrival, LiveCamera, is_live
from nestfuse_core.cameras.names import CAMERAS
from nestfuse_core.cameras.newest import Feed, NewestPairs
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import Image
from rgbt_tracker.sequences.base import Derived, Frame, FrameSequence, SequenceInfo
from rgbt_tracker.sequences.images import FrameFormat
from rgbt_tracker.sequences.live_summary import LiveSummary
from rgbt_tracker.sequences.prefetch import prefetch

SETTLING = 3.0
"""Seconds in which the rates are measured, and again in which the first frame waits for both cameras."""
LOOK = 0.02
"""Seconds between looks at the clock while nothing arrives."""


class LivePair(FrameSequence):
    """The newest pictures of one or two live cameras, paired by the time of their arrival.

    Iterating waits for a pair that is newer than the last (`NewestPairs` says which): a slow consumer skips pictures
    and never falls behind. A camera without a partner in time is None. When a camera drops the other goes on alone; the
    iteration ends by itself, and the sequence is ``broken``, when all of them have been away for ``patience`` seconds.
    Pictures whose size changes are scaled to that of the camera's first, in whose pixels the boxes are.

    Args:
        info: with ``length`` None.
        cameras: "rgb" and "ir", or one of them -> the camera, started; closed with the sequence.
        offset: how many seconds later the thermal picture of an instant arrives than the visible one.
        clock: that of the cameras.
    """

    patience = 20.0

    def __init__(
        self,
        info: SequenceInfo,
        cameras: Mapping[str, LiveCamera],
        offset: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(info)
        self.cameras = tuple(cameras)
        self._sources, self._clock = dict(cameras), clock
        self._delays = {"rgb": max(offset, 0.0), "ir": max(-offset, 0.0)} if len(cameras) == 2 else {}
        self._pairs = NewestPairs(self.cameras)
        self._forms = {camera: FrameFormat(camera) for camera in cameras}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._zero: float | None = None
        self._summary = LiveSummary(self._sources)
        self._changed = threading.Event()
        self._stopped = self._broken = False
        for camera, source in cameras.items():
            source.on_change = self._changed.set
            source.span = self._delays.get(camera, 0.0)

    @property
    def broken(self) -> bool:
        return self._broken

    def summary(self) -> list[str]:
        """What came from each camera and what happened to it, and how far apart the pairs were."""
        return self._summary.lines(self._broken, self.patience)

    def stop(self) -> None:
        # Called by signal handlers, which may have interrupted a wait: nothing here takes a lock.
        self._stopped = True

    def close(self) -> None:
        self._stopped = True
        for source in self._sources.values():
            source.stop()  # all of them first: each may be waiting for its picture
        for source in self._sources.values():
            source.close()

    def frame(self, index: int) -> Frame:
        """Raises UserError: live frames cannot be asked for by number."""
        raise UserError(f"Expected a recording to read frame {index} of, but '{self.name}' is live; iterate over it.")

    def settle(self, seconds: float = SETTLING) -> None:
        """Wait until the rates of all cameras are measured, or for ``seconds``."""
        end = self._clock() + seconds
        while not all(source.measured for source in self._sources.values()) and self._clock() < end:
            self._wait()

    def __iter__(self) -> Iterator[Frame]:
        index, began = 0, self._clock()
        complete_until = began + SETTLING + max(self._delays.values(), default=0.0)
        self._summary.begin(began)
        while not self._stopped:
            now = self._clock()
            pair = self._pairs.next(self._feeds(now), now)
            if pair is not None and (index or len(pair) == len(self._sources) or now > complete_until):
                self._summary.count(pair, self._pairs.lead)
                yield self._paired(index, pair)
                index += 1
            elif pair is None and self._ended(now):
                self._broken = True
                return
            else:
                self._wait()

    def _feeds(self, now: float) -> dict[str, Feed]:
        return {
            camera: Feed(source.held(), source.interval).delayed(self._delays.get(camera, 0.0), now)
            for camera, source in self._sources.items()
        }

    def _ended(self, now: float) -> bool:
        for source in self._sources.values():
            if source.failure is not None:
                raise source.failure
        losses = [source.lost_since for source in self._sources.values()]
        return all(lost is not None and now - lost >= self.patience for lost in losses)

    def _wait(self) -> None:
        self._changed.wait(LOOK)
        self._changed.clear()

    def _paired(self, index: int, pair: dict[str, Arrival]) -> Frame:
        time = pair[self._pairs.lead].time
        if self._zero is None:
            self._zero = time
        pictures = {camera: self._picture(camera, arrival.image) for camera, arrival in pair.items()}
        indices = {camera: arrival.index for camera, arrival in pair.items()}
        return Frame(
            index,
            pictures.get("rgb"),
            pictures.get("ir"),
            time - self._zero,
            indices.get("rgb"),
            indices.get("ir"),
        )

    def _picture(self, camera: str, image: Image) -> Image:
        height, width = self._sizes.setdefault(camera, image.shape[:2])
        if image.shape[:2] != (height, width):
            image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))
        return self._forms[camera].convert(image, self._sources[camera].address)


def open_live(
    rgb: str | Path | LiveCamera | None,
    ir: str | Path | LiveCamera | None,
    name: str | None = None,
    offset: float = 0.0,
) -> LivePair:
    """Open one or two live cameras, and measure their rates.

    Args:
        rgb, ir: camera indices, devices or stream addresses, or opened cameras; None for one that is not there.
        name: of the sequence and its result files; made from the addresses by default.
        offset: see `LivePair`.

    Raises:
        UserError: none given, one that cannot be opened, or a recording beside a camera.
    """
    given = {camera: source for camera, source in (("rgb", rgb), ("ir", ir)) if source is not None}
    if not given:
        raise UserError("Expected one or two cameras, got none; give an index such as 0 or a stream address.")
    for camera, source in given.items():
        if not isinstance(source, LiveCamera) and not is_live(str(source)):
            raise recording_beside_camera(str(source), camera)
    cameras: dict[str, LiveCamera] = {}
    try:
        for camera, source in given.items():
            opened = source if isinstance(source, LiveCamera) else LiveCamera(str(source), f"{CAMERAS[camera]} camera")
            cameras[camera] = opened
            opened.start()
    except BaseException:
        for opened in cameras.values():
            opened.close()
        raise
    addresses = list(dict.fromkeys(camera.address for camera in cameras.values()))
    info = SequenceInfo(name or "_".join(map(name_of, addresses)), None, source=" and ".join(addresses))
    sequence = LivePair(info, cameras, offset)
    sequence.settle()
    info.fps = round(max(1 / camera.interval for camera in cameras.values()), 2)
    info.notes = [_note(cameras, offset)]
    return sequence


def recording_beside_camera(source: str, camera: str) -> UserError:
    """What to say where one camera is live and the other, "rgb" or "ir", is a recording."""
    return UserError(
        f"Expected two live cameras or two recordings, got the recording '{source}' for --{camera} beside a live "
        "camera: their clocks have nothing in common; record the live one first."
    )


def name_of(address: str) -> str:
    """A name for result files, made from an address; without its user and password."""
    return "camera" + re.sub(r"\W+", "-", address.rpartition("@")[2].rpartition("://")[2])


def _note(cameras: Mapping[str, LiveCamera], offset: float) -> str:
    rates = {
        camera: f"{CAMERAS[camera]} {1 / source.interval:.1f}" if source.measured else f"{CAMERAS[camera]} unknown"
        for camera, source in cameras.items()
    }
    measured = f"Live, frames a second as measured: {', '.join(rates.values())}"
    if len(cameras) == 1:
        return f"{measured}."
    slower = max(source.interval for source in cameras.values())
    late = f"; thermal pictures are {1000 * offset:+.0f} ms late (--offset)" if offset else ""
    return f"{measured}; frames are paired by arrival, at most {1000 * slower:.0f} ms apart{late}."


class Stoppable(Derived):
    """A sequence, read ahead, that ends when ``stop`` is called and may start at a frame the user chose."""

    def __init__(self, sequence: FrameSequence) -> None:
        super().__init__(prefetch(sequence))
        self._stopped = threading.Event()
        self._begun: Iterator[Frame] | None = None

    def stop(self) -> None:
        """End the iteration after the current frame."""
        self._stopped.set()
        self._source.stop()

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopped.is_set()

    def choose_start(self, chosen: Callable[[Frame], bool]) -> Frame:
        """Return the frame the iteration will start with: the first, or of a live source the first that is chosen.

        Raises:
            UserError: the source ended before.
        """
        frames = iter(self._source)
        for frame in frames:
            if not self.live or chosen(frame):
                self._begun = chain([frame], frames)
                return frame
        raise UserError(f"No frame arrived from '{self.info.source}' to draw a box on.")

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(self) -> Generator[Frame]:
        """The iteration, which can be closed; those of a live source are counted from the one it starts with."""
        frames = self._begun if self._begun is not None else iter(self._source)
        self._begun = None
        began = 0.0
        for index, frame in enumerate(frames):
            if self.live:
                began = frame.time or 0.0 if index == 0 else began
                frame = replace(frame, index=index, time=None if frame.time is None else frame.time - began)
            yield frame
            if self._stopped.is_set():
                return
