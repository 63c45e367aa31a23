"""Frames of a video file by index, through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nestfuse_core.common.errors import UserError
from rgbt_tracker.sequences.base import Image

SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv", ".ts"})


class VideoReader:
    """Reads forward cheaply; going back decodes from the start again.

    Attributes:
        fps: frames per second as the file states it.
        length: number of frames, counted without decoding them.

    Raises:
        UserError: not a video, no picture in it, or a frame that cannot be decoded.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container: Any = None
        self._frames: Iterator[Any] = iter(())
        self._next = 0
        self._last: Image | None = None
        self.fps, self.length = self._facts()

    def _open(self) -> Any:
        import av

        try:
            container = av.open(str(self._path))
        except (av.FFmpegError, OSError) as error:
            raise UserError(f"Cannot read the video '{self._path}': {_reason(error)}.") from error
        if not container.streams.video:
            container.close()
            raise UserError(f"The file '{self._path}' holds no video stream.")
        return container

    def _facts(self) -> tuple[float, int]:
        with self._open() as container:
            stream = container.streams.video[0]
            rate = stream.average_rate or stream.base_rate or 30
            count = sum(1 for packet in container.demux(stream) if packet.size and not packet.is_discard)
        if count == 0:
            raise UserError(f"The video '{self._path}' holds no frame.")
        return float(rate), count

    def read(self, index: int) -> Image:
        """Return frame ``index``: HxWx3 uint8 BGR, HxW uint8 for grey video, HxW uint16 for deeper grey."""
        if index == self._next - 1 and self._last is not None:
            return self._last
        if self._container is None or index < self._next:
            self._rewind()
        frame = None
        while self._next <= index:
            frame = self._advance()
            self._next += 1
        self._last = _as_array(frame)
        return self._last

    def _rewind(self) -> None:
        self.close()
        self._container = self._open()
        stream = self._container.streams.video[0]
        stream.thread_type = "AUTO"
        self._frames, self._next = self._container.decode(stream), 0

    def _advance(self) -> Any:
        import av

        try:
            return next(self._frames)
        except (StopIteration, av.FFmpegError) as error:
            raise UserError(
                f"Cannot decode frame {self._next + 1} of {self.length} of the video '{self._path}': "
                f"{_reason(error)}; cut the video before it or convert it anew."
            ) from error

    def close(self) -> None:
        """Close the file; a later read opens it again."""
        if self._container is not None:
            self._container.close()
            self._container, self._last, self._next = None, None, 0


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or ("the stream ends" if isinstance(error, StopIteration) else str(error))


def _as_array(frame: Any) -> Image:
    name = frame.format.name
    if name.startswith("gray"):
        array = frame.to_ndarray(format="gray" if name == "gray" else "gray16le")
        return array.astype(np.uint16) if name != "gray" else array
    return frame.to_ndarray(format="bgr24")
