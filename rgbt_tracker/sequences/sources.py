"""Live cameras: one's frames, and two cameras' as a sequence."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import cv2

from nestfuse_core.cameras.names import CAMERAS
from nestfuse_core.cameras.sources import Source
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import Image
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.sequences.images import FrameFormat


class Camera:
    """A live camera by index, device or stream address, through OpenCV.

    Args:
        address: "0", "/dev/video2", "rtsp://...", "http://...".
        camera: "rgb" or "ir".
        opener: makes the capture object; OpenCV's by default.
    """

    def __init__(self, address: str, camera: str, opener: Callable[[Any], Any] = cv2.VideoCapture) -> None:
        self.camera, self.name = camera, address
        self.form = FrameFormat(camera)
        self._capture = opener(int(address) if address.isdecimal() else address)
        if not self._capture.isOpened():
            self._capture.release()
            raise UserError(
                f"Cannot open the {CAMERAS[camera]} camera '{address}'; expected a camera index such as 0, a device or "
                "a stream address such as rtsp://host/path that is switched on and not used by another program."
            )
        # Drivers queue old frames; a tracker wants the newest.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS) or 0) or None

    def grab(self) -> bool:
        """Take the next frame without decoding it, so that two cameras can be taken close in time."""
        return bool(self._capture.grab())

    def read(self, index: int) -> Image | None:
        """The frame that was grabbed, or None where it did not arrive."""
        arrived, image = self._capture.retrieve()
        return self.form.convert(image, self.name) if arrived and image is not None else None

    def close(self) -> None:
        """Release the device."""
        self._capture.release()


class LivePair(FrameSequence):
    """A sequence of one or two cameras of which at least one is live, in order only."""

    def __init__(self, info: SequenceInfo, sources: dict[str, Camera | Source]) -> None:
        super().__init__(info)
        self._sources, self.cameras = sources, tuple(sources)
        self._forms = {camera: FrameFormat(camera) for camera in sources}

    def frame(self, index: int) -> Frame:
        raise UserError(f"Frames of the live source '{self.name}' come in order only.")

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while all(source.grab() for source in self._sources.values() if isinstance(source, Camera)):
            pictures = {camera: self._read(camera, index) for camera in self._sources}
            if any(picture is None for picture in pictures.values()):
                return
            yield Frame(index, pictures.get("rgb"), pictures.get("ir"))
            index += 1
            if any(not isinstance(source, Camera) and source.length == index for source in self._sources.values()):
                return

    def _read(self, camera: str, index: int) -> Image | None:
        source = self._sources[camera]
        if isinstance(source, Camera):
            return source.read(index)
        return self._forms[camera].convert(source.read(index), source.where(index))

    def close(self) -> None:
        for source in self._sources.values():
            with contextlib.suppress(Exception):
                source.close()
