"""TIFF of the depths that OpenCV lacks."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BYTE_ORDERS = {b"II": "<", b"MM": ">"}
_CLASSIC, _BIG = 42, 43


def is_tiff(head: bytes) -> bool:
    """Whether a file that begins with ``head`` (4 bytes at least) is a TIFF, classic or big, of either byte order."""
    order = _BYTE_ORDERS.get(head[:2])
    return order is not None and len(head) >= 4 and struct.unpack(f"{order}H", head[2:4])[0] in (_CLASSIC, _BIG)


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
