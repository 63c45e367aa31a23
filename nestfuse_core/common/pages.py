"""Multi-page TIFF: the frames of a thermal camera in one file."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.frame_reader import FrameReader
from nestfuse_core.common.pictures import Image, as_read, decode_image
from nestfuse_core.common.tiff import page_pixels

SUFFIXES = (".tif", ".tiff")
"""Of files that may hold several pages."""
# What OpenCV decodes, in each byte order, compression and predictor; tifffile alone lacks LZW, PackBits and JPEG.
_OPENCV = tuple(np.dtype(kind) for kind in ("u1", "u2", "i1", "i2", "i4", "f4", "f8"))


class PageReader(FrameReader):
    """Frames of a multi-page TIFF, read in any order at the same cost; previews and masks among its pages left out.

    Attributes:
        rate: frames per second as given, else None: the file states none.
        length: number of frames.
        times: (length,) seconds, index / rate; None without a rate.

    Args:
        path: the file.
        rate: frames per second.

    Raises:
        UserError: no such file, not a TIFF, or a page that cannot be decoded.
    """

    def __init__(self, path: Path, rate: float | Fraction | None = None) -> None:
        self._path = path
        self._file: Any = None
        self._bytes: NDArray[np.uint8] | None = None
        self._pages = self._frames()
        self.length = len(self._pages)
        self.rate = None if rate is None else Fraction(rate).limit_denominator(60000)
        self.times = None if self.rate is None else np.arange(self.length) / float(self.rate)

    @property
    def fps(self) -> float | None:
        """Frames per second, or None."""
        return None if self.rate is None else float(self.rate)

    def read(self, index: int) -> Image:
        """Return frame ``index`` (0-based): HxW or HxWx3 BGR; uint8, uint16 or float32, as `read_image` does."""
        page = self._pages[index]
        image = self._through_opencv(page) if page.dtype in _OPENCV else None
        if image is None:
            image = self._through_tifffile(page)
        if image is None:
            raise UserError(
                f"Cannot decode page {index + 1} of {self.length} of '{self._path}'; it is damaged, or compressed in a "
                "way that neither OpenCV nor tifffile reads; write the file anew without compression."
            )
        return as_read(image)

    def close(self) -> None:
        """Close the file; a later read opens it again."""
        if self._file is not None:
            self._file.close()
        self._file = self._bytes = None

    def _frames(self) -> list[Any]:
        """The pages that are frames: of the first one's size, and neither a preview nor a mask."""
        file = self._open()
        pages = list(file.pages)
        if not pages or _points_on(file, pages[-1]):
            self.close()
            raise UserError(f"The TIFF '{self._path}' is cut off after {len(pages)} pages; copy it again.")
        return [page for page in pages if page.shape == pages[0].shape and not page.subfiletype & 0b101]

    def _open(self) -> Any:
        import tifffile

        if self._file is None:
            try:
                self._file = tifffile.TiffFile(self._path)
            except OSError as error:
                raise UserError(f"Cannot read '{self._path}': {error.strerror}; check the path.") from error
            except Exception as error:  # besides its own error, damage ends in struct.error, IndexError, ...
                raise UserError(f"Cannot read '{self._path}' as a TIFF: {error}; it is not one, or damaged.") from error
        return self._file

    def _through_opencv(self, page: Any) -> Image | None:
        """Decode a page as the first of a file: on a private copy of its bytes, whose head points to this page."""
        file = self._open()
        if self._bytes is None:
            self._bytes = np.memmap(self._path, np.uint8, "c")
        place, form = (8, "Q") if file.is_bigtiff else (4, "I")
        struct.pack_into(f"{file.byteorder}{form}", self._bytes.data, place, page.offset)
        return decode_image(self._bytes)

    def _through_tifffile(self, page: Any) -> Image | None:
        page.parent.filehandle.open()  # does nothing unless it was closed
        try:
            return page_pixels(page)
        except Exception:  # as in _open
            return None


def _points_on(file: Any, page: Any) -> bool:
    """Whether a page names one that follows it: its directory is a count, entries, and the place of the next."""
    count, entry, place = ("Q", 20, "Q") if file.is_bigtiff else ("H", 12, "I")
    file.filehandle.seek(page.offset)
    (entries,) = struct.unpack(file.byteorder + count, file.filehandle.read(struct.calcsize(count)))
    file.filehandle.seek(entries * entry, 1)
    following = file.filehandle.read(struct.calcsize(place))
    return len(following) == struct.calcsize(place) and struct.unpack(file.byteorder + place, following)[0] != 0


def page_count(path: Path) -> int:
    """Number of frames in an image file: more than 1 for a multi-page TIFF; 1 also for one that cannot be read."""
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return 1
    try:
        with PageReader(path) as reader:
            return reader.length
    except UserError:
        return 1
