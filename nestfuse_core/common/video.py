"""Two videos into one: frames read in step, the result encoded whole before it takes its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.files import replacing
from nestfuse_core.common.pictures import Image

SUFFIXES = (".mp4", ".mkv", ".avi", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv", ".ts")
WRITTEN = {".mp4": "libx264", ".mkv": "libx264", ".mov": "libx264", ".m4v": "libx264", ".webm": "libvpx-vp9"}
"""Container by suffix, and its encoder."""
QUALITY = "17"
"""Constant rate factor: about where differences from the source stop being visible."""


@dataclass(frozen=True)
class VideoFacts:
    """Number of frames (counted, not the header's word), frames per second, and size in pixels."""

    length: int
    rate: Fraction
    width: int
    height: int


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    import av

    if not path.is_file():
        raise UserError(f"No video at '{path}'; check the path.")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise UserError(
            f"The file '{path}' is not a video FFmpeg can read, or is damaged; convert it to MP4."
        ) from error
    with container:
        if not container.streams.video:
            raise UserError(f"The file '{path}' holds no video stream.")
        yield container, container.streams.video[0]


def video_facts(path: Path) -> VideoFacts:
    """Look at a video without decoding it.

    Raises:
        UserError: missing, not a video, or without a frame.
    """
    with _opened(path) as (container, stream):
        rate = stream.average_rate or stream.base_rate or Fraction(25)
        width, height = stream.width, stream.height
        length = sum(1 for packet in container.demux(stream) if packet.size and not packet.is_discard)
    if not length:
        raise UserError(f"The video '{path}' holds no frame.")
    return VideoFacts(length, Fraction(rate), width, height)


def read_frames(path: Path) -> Iterator[Image]:
    """Yield every frame: HxWx3 BGR uint8, or HxW uint8 / uint16 for grey video.

    Raises:
        UserError: a frame cannot be decoded.
    """
    import av

    count = 0
    with _opened(path) as (container, stream):
        stream.thread_type = "AUTO"
        try:
            for frame in container.decode(stream):
                count += 1
                yield _pixels(frame)
        except av.FFmpegError as error:
            raise UserError(
                f"The video '{path}' cannot be decoded after frame {count}; cut it there or convert it anew."
            ) from error


def _pixels(frame: Any) -> Image:
    name = frame.format.name
    if name == "gray":
        return frame.to_ndarray()
    if name.startswith("gray"):
        # FFmpeg scales 10 and 12 bits to the full 16; the thermal scaling that follows does not mind.
        return frame.to_ndarray(format="gray16le").astype(np.uint16, copy=False)
    return frame.to_ndarray(format="bgr24")


def check_output(path: Path) -> None:
    """Raise UserError unless ``path`` names a video format we write."""
    suffix = path.suffix.lower()
    if suffix not in WRITTEN:
        raise UserError(
            f"Cannot write a video as '{path.name}'; expected one of {', '.join(WRITTEN)}{suggestion(suffix, WRITTEN)}"
        )


class VideoWriter:
    """Encodes frames HxWx3 BGR or HxW uint8, all of one size; get one from :func:`writing`."""

    def __init__(self, container: Any, stream: Any) -> None:
        self._container, self._stream = container, stream

    def write(self, image: Image) -> None:
        import av

        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="gray" if image.ndim == 2 else "bgr24")
        self._container.mux(self._stream.encode(frame.reformat(format=self._stream.pix_fmt)))

    def finish(self) -> None:
        """Flush what the encoder still holds."""
        self._container.mux(self._stream.encode())


@contextmanager
def writing(path: Path, width: int, height: int, rate: Fraction) -> Iterator[VideoWriter]:
    """Open a video for writing; it appears under its name once the block has ended without an error.

    Odd sizes keep every pixel by encoding colour at full resolution (4:4:4), which some hardware players refuse.
    """
    import av

    check_output(path)
    even = width % 2 == 0 and height % 2 == 0
    with replacing(path) as temporary, av.open(str(temporary), "w") as container:
        stream = _stream(container, WRITTEN[path.suffix.lower()], rate)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p" if even else "yuv444p"
        writer = VideoWriter(container, stream)
        yield writer
        writer.finish()


def _stream(container: Any, codec: str, rate: Fraction) -> Any:
    import av

    rate = rate.limit_denominator(60000)
    try:
        return container.add_stream(
            codec, rate=rate, options={"crf": QUALITY, "b": "0"} if "vp9" in codec else {"crf": QUALITY}
        )
    except (av.FFmpegError, ValueError):
        # Builds of FFmpeg without x264 still have their own MPEG-4 encoder.
        return container.add_stream("mpeg4", rate=rate, options={"qscale": "2"})
