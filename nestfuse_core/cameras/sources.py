"""What one camera has delivered: image files, a recording or pages, frame by frame, with the time of each."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np

from nestfuse_core.cameras.files import list_frames
from nestfuse_core.cameras.live import is_device
from nestfuse_core.cameras.names import CAMERAS
from nestfuse_core.cameras.pairing import Times, usual_rate
from nestfuse_core.cameras.times import name_times, read_times
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import expanded
from nestfuse_core.common.pages import SUFFIXES as PAGED
from nestfuse_core.common.pages import PageReader, page_count
from nestfuse_core.common.pictures import Image, read_image
from nestfuse_core.common.video import SUFFIXES as VIDEO_SUFFIXES
from nestfuse_core.common.video import VideoReader, is_recording

TRUSTED = 0.05
"""Relative difference between the rate that a video states and that of its stamps, below which the stated one holds."""
STREAM = re.compile(r"(.+)#(\d+)")


class Source(ABC):
    """Frames of one camera, by index.

    Attributes:
        camera: "rgb" or "ir".
        name: what the user gave, for messages.
        length: number of frames.
        times: (length,) seconds, ascending, by the camera's own clock; None where nobody has said.
        clock: where the times come from, for messages; "" without times.
    """

    def __init__(self, camera: str, name: str, length: int, times: Times | None = None, clock: str = "") -> None:
        self.camera, self.name, self.length = camera, name, length
        self.times, self.clock = times, clock

    @property
    def fps(self) -> float | None:
        """Frames a second where there is no gap; None where it is unknown."""
        return None if self.times is None else usual_rate(self.times)

    @property
    @abstractmethod
    def identity(self) -> tuple[str, int]:
        """The file or folder and the stream in it: equal for two cameras that were given the same."""

    @abstractmethod
    def read(self, index: int) -> Image:
        """Return frame ``index`` (0-based) as it is stored. Raises UserError naming the file and frame."""

    @abstractmethod
    def where(self, index: int) -> str:
        """The file, or the file and frame, for messages."""

    def use_file(self, path: Path) -> None:
        """Take the times from a file (`read_times`). Raises UserError."""
        times = read_times(path, [], self.length)
        if (np.diff(times) < 0).any():
            raise UserError(f"Expected ascending times for the frames of '{self.name}' in '{path}'.")
        self.use_times(times, f"'{path.name}'")

    def use_times(self, times: Times, clock: str) -> None:
        """Take other times, (length,) ascending."""
        self.times, self.clock = times, clock

    def close(self) -> None:
        """Release files; nothing by default."""
        return


class ImageFiles(Source):
    """Frames as image files in the given order; their times are those in the names, if these are in that order."""

    def __init__(self, files: Sequence[Path], camera: str) -> None:
        times = name_times([file.stem for file in files])
        if times is not None and (np.diff(times) < 0).any():
            times = None
        super().__init__(camera, str(files[0].parent), len(files), times, "" if times is None else "file names")
        self.files = list(files)
        # A slower camera's picture is the partner of several frames.
        self._last: tuple[Path, Image] | None = None

    @property
    def identity(self) -> tuple[str, int]:
        return os.path.realpath(self.name), 0

    def use_file(self, path: Path) -> None:
        times = read_times(path, [file.name for file in self.files])
        order = np.argsort(times, kind="stable")
        self.files = [self.files[place] for place in order]
        self.use_times(times[order], f"'{path.name}'")

    def read(self, index: int) -> Image:
        file, last = self.files[index], self._last
        if last is not None and last[0] == file:
            return last[1]
        what, advice = f"{CAMERAS[self.camera]} frame", "restore the file, or move it and its partner away"
        self._last = file, read_image(file, what, advice)
        return self._last[1]

    def where(self, index: int) -> str:
        return str(self.files[index])


class Recording(Source):
    """Frames of a video, a file or an address that holds one, or the pages of a TIFF, whose times nobody has said."""

    def __init__(self, path: Path | str, camera: str, stream: int = 0) -> None:
        if isinstance(path, Path) and path.suffix.lower() in PAGED:
            self._reader: PageReader | VideoReader = PageReader(path)
        else:
            self._reader = VideoReader(path, stream)
        times = self._reader.times
        super().__init__(camera, str(path), self._reader.length, times, "" if times is None else "time stamps")
        self._path, self._stream = path, stream

    @property
    def fps(self) -> float | None:
        # What a file states is exact, but some state what they do not keep, or count gaps into it.
        usual, stated = super().fps, self._reader.fps
        trusted = self.clock == "time stamps" and stated and (not usual or abs(usual / stated - 1) < TRUSTED)
        return stated if trusted else usual

    @property
    def identity(self) -> tuple[str, int]:
        return self.name if isinstance(self._path, str) else os.path.realpath(self._path), self._stream

    def read(self, index: int) -> Image:
        return self._reader.read(index)

    def where(self, index: int) -> str:
        return f"{self.name}, frame {index + 1}"

    def close(self) -> None:
        self._reader.close()


def is_sequence_file(path: Path) -> bool:
    """Whether a file holds frames over time: a video by its name, or a TIFF of several pages."""
    return path.is_file() and (path.suffix.lower() in VIDEO_SUFFIXES or page_count(path) > 1)


@dataclass(frozen=True)
class Address:
    """What a user typed for one camera, taken apart.

    Attributes:
        text: as typed.
        place: the file or folder, an address of a recording as text; None for a live camera.
        stream: which video stream of the file.
    """

    text: str
    place: Path | str | None
    stream: int = 0

    @property
    def live(self) -> bool:
        """A camera's index, a device, or the address of a stream that has no end."""
        return self.place is None


def parse_address(typed: str | os.PathLike[str]) -> Address:
    """Take apart what was typed for a camera.

    A number is a camera's index and ``/dev/...`` a device, both live. ``file://`` is a file. http and https addresses
    of something with a duration are recordings; other addresses are live. ``FILE#1`` is the second video stream of
    FILE.
    """
    text = os.fspath(typed)
    if is_device(text):
        return Address(text, None)
    whole, stream = text, 0
    chosen = STREAM.fullmatch(text)
    if chosen and not expanded(text).exists():
        whole, stream = chosen[1], int(chosen[2])
    scheme = urlsplit(whole).scheme.lower() if "://" in whole else ""
    if scheme == "file":
        return Address(text, Path(unquote(urlsplit(whole).path)), stream)
    if scheme:
        return Address(text, whole if scheme in ("http", "https") and is_recording(whole) else None, stream)
    return Address(text, expanded(whole), stream)


def open_recorded(address: Address, camera: str) -> Source:
    """Open the frames of a folder, a recording or a TIFF of several pages.

    Raises:
        UserError: neither is there, or it cannot be read.
    """
    place = address.place
    assert place is not None
    if isinstance(place, str) or is_sequence_file(place):
        return Recording(place, camera, address.stream)
    if place.is_dir():
        return ImageFiles(list_frames(place), camera)
    found = "a file of another kind" if place.exists() else "nothing there"
    raise UserError(
        f"Expected a folder of images, a video ({', '.join(VIDEO_SUFFIXES)}), a TIFF of several pages, a camera index "
        f"or a stream address for the {CAMERAS[camera]} camera, got '{address.text}' ({found})."
    )
