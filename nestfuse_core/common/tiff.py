"""TIFF of the depths that OpenCV lacks."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BYTE_ORDERS = {b"II": "<", b"MM": ">"}
_CLASSIC, _BIG = 42, 43
_COMPRESSION, _LONG = 259, 4
_KNOWN = {1, 2, 3, 4, 5, 7, 8, 32766, 32773, 32809, 32946, 34676, 34677}
"""How OpenCV's TIFF library can unpack pixels: not at all, CCITT, LZW, JPEG, deflate, NeXT, PackBits, Thunder, LogLuv.
Of others (Zstandard, LZMA, WebP, LERC) it makes a black picture without an error."""


def is_tiff(head: bytes) -> bool:
    """Whether a file that begins with ``head`` (4 bytes at least) is a TIFF, classic or big, of either byte order."""
    order = _BYTE_ORDERS.get(head[:2])
    return order is not None and len(head) >= 4 and struct.unpack(f"{order}H", head[2:4])[0] in (_CLASSIC, _BIG)


def opencv_unpacks(data: bytes) -> bool:
    """Whether OpenCV can unpack the pixels of the first page, as far as its directory can be read."""
    order = _BYTE_ORDERS[data[:2]]
    big = struct.unpack_from(f"{order}H", data, 2)[0] == _BIG
    # Offset of the directory; number of its entries; an entry's tag, type and count, and the bytes of its value.
    where, number, entry, room = ("8xQ", "Q", "HHQ", 8) if big else ("4xI", "H", "HHI", 4)
    try:
        (start,) = struct.unpack_from(order + where, data)
        (count,) = struct.unpack_from(order + number, data, start)
        start, head = start + struct.calcsize(order + number), struct.calcsize(order + entry)
        for place in range(start, start + min(count, 4096) * (head + room), head + room):
            tag, kind, _ = struct.unpack_from(order + entry, data, place)
            if tag == _COMPRESSION:
                return struct.unpack_from(order + ("I" if kind == _LONG else "H"), data, place + head)[0] in _KNOWN
    except struct.error:  # cut off: others say so
        pass
    return True


def decode(data: bytes) -> NDArray[Any] | None:
    """Decode the first page through tifffile: HxW or HxWx3 BGR as stored, or None where it cannot."""
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            return page_pixels(file.pages[0])
    except Exception:  # damaged files end in errors of any kind: struct.error, IndexError, ValueError, zlib.error
        return None


def page_pixels(page: Any) -> NDArray[Any] | None:
    """Return a tifffile page: HxW or HxWx3 BGR as stored, or None where its channels are neither 1, 3 nor 4."""
    image = page.asarray()
    if image.ndim == 3 and image.shape[2] in (3, 4):
        return np.ascontiguousarray(image[..., 2::-1])
    return image if image.ndim == 2 else None
