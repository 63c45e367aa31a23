"""Writing a video that common players and browsers show: H.264 in MP4, through PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import replacing

SUFFIXES = (".mp4", ".mkv", ".mov", ".m4v")
QUALITY = "23"  # x264's constant rate factor, its default: 0 is lossless


class VideoFile:
    """A video that appears under its name when it is complete, and not at all after an error or interruption.

    Use it as a context manager; every image must have the size of the first.

    Args:
        path: ``.mp4``, ``.mkv``, ``.mov`` or ``.m4v``.
        fps: frames per second.

    Raises:
        UserError: another suffix, or nowhere to write.
    """

    def __init__(self, path: Path, fps: float) -> None:
        if path.suffix.lower() not in SUFFIXES:
            raise UserError(f"Expected a video file ending in {', '.join(SUFFIXES)}, got '{path}'.")
        self.path = path
        self._rate = Fraction(fps).limit_denominator(1001)
        self._replacing = replacing(path)
        self._container: Any = None
        self._stream: Any = None

    def __enter__(self) -> VideoFile:
        import av

        try:
            temporary = self._replacing.__enter__()
        except OSError as error:
            raise UserError(f"Cannot write the video '{self.path}': {error.strerror}.") from error
        self._container = av.open(str(temporary), "w", options={"movflags": "faststart"})
        return self

    def write(self, image: NDArray[np.uint8]) -> None:
        """Append an image, HxWx3 BGR uint8; an odd last row or column is left out, as H.264 has none."""
        import av

        height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
        if self._stream is None:
            self._stream = self._container.add_stream("libx264", rate=self._rate)
            self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
            self._stream.options = {"crf": QUALITY, "preset": "veryfast"}
        elif (self._stream.width, self._stream.height) != (width, height):
            raise ValueError(f"expected {self._stream.width}x{self._stream.height}, got {width}x{height}")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format="bgr24")
        self._container.mux(self._stream.encode(frame))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            if kind is None and self._stream is not None:
                self._container.mux(self._stream.encode())
            self._container.close()
        except Exception as problem:
            if kind is None:
                self._replacing.__exit__(type(problem), problem, problem.__traceback__)
                raise
        return self._replacing.__exit__(kind, error, trace)
