"""One camera's recorded frames, image files or a video; two of them make a sequence."""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import Image
from nestfuse_core.common.video import SUFFIXES as VIDEO_SUFFIXES
from nestfuse_core.common.video import VideoReader
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.sequences.images import FrameFormat, list_frames


class Source(ABC):
    """Frames of one camera.

    Attributes:
        camera: "rgb" or "ir".
        name: for messages.
        form: what frames are converted to.
        length: number of frames.
        fps: frames per second, or None when the source does not say.
    """

    length: int = 0
    fps: float | None = None

    def __init__(self, camera: str, name: str) -> None:
        self.camera, self.name = camera, name
        self.form = FrameFormat(camera)

    @abstractmethod
    def read(self, index: int) -> Image:
        """Return frame ``index``."""

    def close(self) -> None:
        """Release files and devices; nothing by default."""
        return


class ImageFiles(Source):
    """Frames as image files, in the given order."""

    def __init__(self, files: Sequence[Path], camera: str) -> None:
        super().__init__(camera, str(files[0].parent))
        self.files, self.length = list(files), len(files)

    def read(self, index: int) -> Image:
        return self.form.read(self.files[index])


class Video(Source):
    """Frames of a video file, sampled at the times k / ``fps`` when another rate than its own is asked for."""

    def __init__(self, path: Path, camera: str) -> None:
        super().__init__(camera, str(path))
        self._reader = VideoReader(path)
        self.fps = self._own_fps = self._reader.fps
        self.length = self._reader.length

    def sample_at(self, fps: float) -> None:
        """Offer frames at another rate: frame k is the one on screen at the time k / ``fps``."""
        self.length = max(1, round(self.length * fps / self._own_fps))
        self.fps = fps

    def read(self, index: int) -> Image:
        assert self.fps is not None
        own = min(int(index * self._own_fps / self.fps + 1e-6), self._reader.length - 1)
        return self.form.convert(self._reader.read(own), f"{self.name}, frame {own + 1}")

    def close(self) -> None:
        self._reader.close()


def open_source(address: str | os.PathLike[str], camera: str) -> Source:
    """Return the frames behind what a user typed for one camera.

    Args:
        address: a folder of images, or a video file.
        camera: "rgb" or "ir".

    Raises:
        UserError: it is none of these, or cannot be opened.
    """
    text = os.fspath(address)
    path = Path(text).expanduser()
    if path.is_dir():
        return ImageFiles(list_frames(path), camera)
    if path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES:
        return Video(path, camera)
    found = "a file of another kind" if path.exists() else "nothing there"
    raise UserError(
        f"Expected a folder of images, a video ({', '.join(VIDEO_SUFFIXES)}), a camera index or a stream "
        f"address for --{camera}, got '{text}' ({found})."
    )


class PairedSequence(FrameSequence):
    """A sequence of one or two sources."""

    def __init__(self, info: SequenceInfo, rgb: Source | None, ir: Source | None) -> None:
        super().__init__(info)
        self.sources = [source for source in (rgb, ir) if source is not None]
        self.rgb, self.ir = rgb, ir
        self.cameras = tuple(source.camera for source in self.sources)

    def frame(self, index: int) -> Frame:
        rgb, ir = (source.read(index) if source else None for source in (self.rgb, self.ir))
        return Frame(index, rgb, ir)

    def close(self) -> None:
        for source in self.sources:
            with contextlib.suppress(Exception):
                source.close()
