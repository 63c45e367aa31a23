"""A network stream: its pictures as they come, none of them held back."""

from __future__ import annotations

from typing import Any

from nestfuse_core.common.pictures import Image
from nestfuse_core.common.video import reason
from nestfuse_core.common.video_frames import Pictures


class StreamEndedError(Exception):
    """A stream delivers no more: its sender closed it, the way to it is cut, or it has been silent for too long."""


class DamagedPictureError(Exception):
    """One picture of a stream cannot be decoded; the next may be whole."""


OPENING, SILENCE = 10.0, 3.0
"""Seconds that a stream may take to open, and to send its next picture."""


class VideoStream:
    """The pictures of a network stream as they come, none of them held back; not safe to use from several threads.

    Attributes:
        fps: frames per second as the stream states them, or None. Many state what they do not keep.

    Args:
        address: rtsp://, http:// or whatever else FFmpeg opens.

    Raises:
        StreamEndedError: nothing answers there, or what does sends no video; the message is the reason alone.
    """

    def __init__(self, address: str) -> None:
        import av

        # What FFmpeg read to find out the format would otherwise come first, up to two seconds late.
        options = {"fflags": "nobuffer", "rtsp_flags": "prefer_tcp"}
        try:
            self._container = av.open(address, timeout=(OPENING, SILENCE), options=options)
        except (av.FFmpegError, OSError) as error:
            raise StreamEndedError(reason(error)) from error
        if not self._container.streams.video:
            self._container.close()
            raise StreamEndedError("it sends no video")
        stream = self._container.streams.video[0]
        stream.codec_context.thread_count = 1  # every further thread would hold back one picture
        self.fps = float(stream.average_rate) if stream.average_rate else None
        self._packets = self._container.demux(stream)
        self._frame: Any = None
        self._picture = Pictures()

    def grab(self) -> None:
        """Wait for the next picture. Raises StreamEndedError or DamagedPictureError."""
        import av

        while True:
            try:
                packet = next(self._packets)
            except (StopIteration, av.FFmpegError, OSError) as error:
                raise StreamEndedError(reason(error)) from error
            try:
                frames = packet.decode()
            except av.FFmpegError as error:
                if isinstance(error, av.EOFError):
                    raise StreamEndedError(reason(error)) from error
                raise DamagedPictureError(reason(error)) from error
            if frames:
                self._frame = frames[-1]
                return

    def retrieve(self) -> Image:
        """The picture that was waited for, as `VideoReader.read` returns it."""
        return self._picture(self._frame)

    def close(self) -> None:
        """Close the connection."""
        self._container.close()
