"""Video files: frames by index, and written whole before they take their name."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.files import check_writable, replacing
from nestfuse_core.common.frame_reader import FrameReader
from nestfuse_core.common.pictures import Image
from nestfuse_core.common.video_frames import Pictures, decodable_packets, encodable, tag

SUFFIXES = (".mp4", ".mkv", ".avi", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv", ".ts")
WRITTEN = {".mp4": "libx264", ".mkv": "libx264", ".mov": "libx264", ".m4v": "libx264", ".webm": "libvpx-vp9"}
"""Container by suffix, and its encoder."""
TICK = Fraction(1, 90_000)
"""Seconds that times of frames are written in, where these have times of their own."""
PATIENCE = 5.0
"""Seconds to wait for an address to answer."""


class VideoReader(FrameReader):
    """Frames of a video file: reads forward cheaply; going back decodes from the start again.

    A frame is known by its presentation time, so that one which cannot be decoded does not move those after it. What
    comes before the first frame that can be decoded (a recording may begin between key frames) is not counted, and the
    others keep their times.

    Attributes:
        rate: frames per second as the file states it.
        length: number of frames, counted without decoding them.
        times: (length,) presentation time of each in seconds, as the file states them: start, gaps and a variable rate
            included, ascending. Of a file without times, index / rate.

    Args:
        path: the file, or the address of a recording (`is_recording`) as text.
        stream: which of its video streams, 0-based.

    Raises:
        UserError: no such file, not a video, no picture in it, or a frame that cannot be decoded.
    """

    def __init__(self, path: Path | str, stream: int = 0) -> None:
        self._path, self._stream = path, stream
        self._container: Any = None
        self._picture = Pictures()
        self._frames: Iterator[Any] = iter(())
        self._next = 0
        self._ahead: tuple[int, Any] | None = None
        self._last: tuple[int, Image] | None = None
        self._trouble: BaseException | None = None
        self._stamps: list[int] | None = None
        self.rate, self.times = self._facts()
        self.length = len(self.times)

    @property
    def fps(self) -> float:
        """Frames per second."""
        return float(self.rate)

    def read(self, index: int) -> Image:
        """Return frame ``index`` (0-based) upright: HxWx3 uint8 BGR; HxW uint8 of grey video, uint16 of deeper grey."""
        if self._last is not None and index == self._last[0]:
            return self._last[1]
        if self._container is None or index < self._next:
            self._rewind()
        place, frame = self._ahead or self._advance(index)
        while place < index:
            place, frame = self._advance(index)
        self._next, self._ahead = place + 1, None
        if place > index:
            # Not delivered though a later one was.
            self._next, self._ahead = place, (place, frame)
            raise self._undecodable(index)
        self._last = index, self._picture(frame)
        return self._last[1]

    def close(self) -> None:
        """Close the file; a later read opens it again."""
        if self._container is not None:
            self._container.close()
        self._container = self._last = self._ahead = self._trouble = None
        self._frames, self._next = iter(()), 0

    def _open(self) -> Any:
        import av

        if isinstance(self._path, Path) and not self._path.is_file():
            raise UserError(f"No video at '{self._path}'; check the path.")
        try:
            container = av.open(str(self._path))
        except (av.FFmpegError, OSError) as error:
            raise UserError(
                f"Cannot read the video '{self._path}': {reason(error)}; it is not a video FFmpeg can read, or is "
                "damaged; convert it to MP4."
            ) from error
        count = len(container.streams.video)
        if self._stream >= count:
            container.close()
            raise UserError(f"Expected video stream {self._stream} in '{self._path}', which holds {count}.")
        return container

    def _facts(self) -> tuple[Fraction, NDArray[np.float64]]:
        with self._open() as container:
            stream = container.streams.video[self._stream]
            rate = Fraction(stream.average_rate or stream.base_rate or 25)
            shown = (packet for packet in decodable_packets(container, stream) if packet.size and not packet.is_discard)
            packets = [(packet.pts, packet.is_keyframe) for packet in shown]
            base = float(stream.time_base or 0)
        if not packets:
            raise UserError(f"The video '{self._path}' holds no frame.")
        stamps = [stamp for stamp, _ in packets]
        if base == 0 or None in stamps:
            return rate, np.arange(len(stamps)) / float(rate)
        self._stamps = sorted(stamps)
        if not packets[0][1] or self._stamps[0] < stamps[0]:
            self._leave_out_the_undecodable_start()
        return rate, np.array(self._stamps, np.float64) * base

    def _leave_out_the_undecodable_start(self) -> None:
        """Pictures shown before the first key frame but stored behind it may refer to what is not in the file."""
        assert self._stamps is not None
        self._rewind()
        first = next(self._frames, None)
        self.close()
        if first is not None and first.pts is not None:
            self._stamps = self._stamps[bisect_left(self._stamps, first.pts) :]

    def _rewind(self) -> None:
        self.close()
        self._container = self._open()
        stream = self._container.streams.video[self._stream]
        stream.thread_type = "AUTO"
        self._frames = self._decoded(decodable_packets(self._container, stream))

    def _decoded(self, packets: Iterator[Any]) -> Iterator[Any]:
        import av

        for packet in packets:
            try:
                yield from packet.decode()
            except av.FFmpegError as error:
                self._trouble = error
                if self._stamps is None:  # without times nobody can tell which of the frames was lost
                    return

    def _advance(self, index: int) -> tuple[int, Any]:
        """Return the next frame and its index; ``index`` is asked for."""
        for frame in self._frames:
            place = self._place(frame.pts)
            if place is not None:
                self._next = place + 1
                return place, frame
        raise self._undecodable(index)

    def _place(self, stamp: int | None) -> int | None:
        """Index of the frame shown at a time, at least the next one; None for one that is not counted."""
        if self._stamps is None or stamp is None:
            return self._next
        if self._next >= len(self._stamps) or stamp < self._stamps[self._next]:
            return None
        return max(self._next, min(bisect_left(self._stamps, stamp), bisect_right(self._stamps, stamp) - 1))

    def _undecodable(self, index: int) -> UserError:
        cause = reason(self._trouble or StopIteration())
        return UserError(
            f"Cannot decode frame {index + 1} of {self.length} of the video '{self._path}': {cause}; cut the video "
            "before it or convert it anew."
        )


def is_recording(address: str) -> bool:
    """Whether something with a duration answers at an address; a camera's stream has none. False if nothing answers."""
    import av

    try:
        with av.open(address, timeout=PATIENCE) as container:
            return bool(container.streams.video) and (container.duration or 0) > 0
    except (av.FFmpegError, OSError):
        return False


def reason(error: BaseException) -> str:
    """What FFmpeg gave as the cause, for a message."""
    return getattr(error, "strerror", None) or ("the stream ends" if isinstance(error, StopIteration) else str(error))


@dataclass(frozen=True)
class Encoding:
    """How a video is encoded.

    Attributes:
        quality: constant rate factor: 0 is lossless, 23 the encoders' default.
        preset: of x264, the time it takes for what it saves; None leaves the encoder's own.
        cut_odd: leave out an odd last row or column, so that colour can be stored at half resolution, which every
            player understands; else it is kept by storing colour at full resolution (4:4:4).
        to_stream: put the index of an MP4 or MOV in front, so that a browser plays a file that is still arriving.
    """

    quality: int
    preset: str | None = None
    cut_odd: bool = False
    to_stream: bool = False


CLOSE = Encoding(17)
"""About where differences from the source stop being visible."""
VIEWING = Encoding(23, "veryfast", cut_odd=True, to_stream=True)
"""To look at: quick to write, small, and plays everywhere."""


class VideoWriter:
    """Encodes frames, all of one size; get one from :func:`writing_video`."""

    def __init__(self, container: Any, codec: str, rate: Fraction, encoding: Encoding) -> None:
        self._container, self._codec, self._rate, self._encoding = container, codec, rate, encoding
        self._stream: Any = None

    def write(self, image: Image, time: float | None = None) -> None:
        """Append a frame, HxWx3 BGR or HxW uint8, of the size of the first.

        Args:
            image: the frame.
            time: seconds at which it is shown, later than the frame before; for all frames or none: then every
                1 / rate seconds.
        """
        height, width = image.shape[:2]
        if self._encoding.cut_odd:
            height, width = height // 2 * 2, width // 2 * 2
        if self._stream is None:
            self._stream = self._start(width, height)
            if time is not None:
                self._stream.codec_context.time_base = TICK
        elif (self._stream.width, self._stream.height) != (width, height):
            raise ValueError(f"expected {self._stream.width}x{self._stream.height}, got {width}x{height}")
        frame = encodable(image[:height, :width], self._stream.pix_fmt)
        if time is not None:
            frame.pts, frame.time_base = round(time / TICK), TICK
        self._container.mux(self._stream.encode(frame))

    def _start(self, width: int, height: int) -> Any:
        stream = self._add_stream()
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
        tag(stream.codec_context)
        return stream

    def _add_stream(self) -> Any:
        import av

        options = {"crf": str(self._encoding.quality)}
        if "vp9" in self._codec:
            options["b"] = "0"
        elif self._encoding.preset:
            options["preset"] = self._encoding.preset
        try:
            return self._container.add_stream(self._codec, rate=self._rate, options=options)
        except (av.FFmpegError, ValueError):
            # Builds of FFmpeg without x264 still have their own MPEG-4 encoder.
            return self._container.add_stream("mpeg4", rate=self._rate, options={"qscale": "2"})

    def finish(self) -> None:
        """Flush what the encoder still holds."""
        if self._stream is not None:
            self._container.mux(self._stream.encode())


def check_video_name(path: Path) -> None:
    """Raise UserError unless ``path`` names a video format we write."""
    suffix = path.suffix.lower()
    if suffix not in WRITTEN:
        raise UserError(
            f"Cannot write a video as '{path.name}'; expected one of {', '.join(WRITTEN)}{suggestion(suffix, WRITTEN)}"
        )


@contextmanager
def writing_video(path: Path, rate: float | Fraction, encoding: Encoding = CLOSE) -> Iterator[VideoWriter]:
    """Open a video for writing; it appears under its name once the block has ended without an error, else not at all.

    Args:
        path: ending in one of ``WRITTEN``.
        rate: frames per second.
        encoding: how.

    Raises:
        UserError: another suffix, or nowhere to write.
    """
    import av

    check_video_name(path)
    check_writable(path.parent)
    # Numbers such as 29.97 stand for 30000/1001.
    exact = rate.limit_denominator(60000) if isinstance(rate, Fraction) else Fraction(rate).limit_denominator(1001)
    index_first = encoding.to_stream and path.suffix.lower() in (".mp4", ".mov", ".m4v")
    options = {"movflags": "faststart"} if index_first else {}
    with replacing(path) as temporary:
        container = av.open(str(temporary), "w", options=options)
        writer = VideoWriter(container, WRITTEN[path.suffix.lower()], exact, encoding)
        try:
            yield writer
            writer.finish()
        except BaseException:
            with suppress(Exception):  # what went wrong first is what counts
                container.close()
            raise
        container.close()
