"""Packets that can be decoded, frames as pictures, upright and in true colours, and pictures as frames to encode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from nestfuse_core.common.pictures import Image

# FFmpeg's numbers, as frames carry them.
_BT709, _UNSPECIFIED, _BT601 = 1, 2, 5
# Matrices other than BT.601's, which is swscale's own: FFmpeg's number -> swscale's.
_MATRICES = {_BT709: 1, 4: 4, 7: 7, 9: 9, 10: 9}
_LIMITED = 1
HD = (1280, 720)
"""Width or height from which on a video that does not name its colour matrix is taken for BT.709, below for BT.601."""


def decodable_packets(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream from its first key frame on; all of them if none is marked."""
    waiting: list[Any] | None = []
    for packet in container.demux(stream):
        if waiting is not None and packet.is_keyframe:
            waiting = None
        if waiting is None:
            yield packet
        else:
            waiting.append(packet)
    yield from waiting or ()


class Pictures:
    """Makes pictures of one stream's frames: HxWx3 uint8 BGR, HxW uint8 (grey video) or HxW uint16 (deeper grey).

    YUV becomes RGB by the matrix and the range that the file names; without a matrix BT.709 counts from `HD` on and
    BT.601 below, as players guess, without a range the limited one. They stand upright by the display matrix of the
    first frame: a frame of PyAV that was asked for its side data is not freed before the next garbage collection.
    """

    def __init__(self) -> None:
        self._matrix: np.ndarray | None = None
        self._asked = False

    def __call__(self, frame: Any) -> Image:
        """Return the picture of a frame of PyAV."""
        if not self._asked:
            self._matrix, self._asked = display_matrix(frame), True
        return upright(_pixels(frame), self._matrix)


def _pixels(frame: Any) -> Image:
    name = frame.format.name
    if name == "gray":
        return frame.to_ndarray()
    if name.startswith("gray"):
        # FFmpeg scales 10 and 12 bits to the full 16; the thermal scaling that follows does not mind.
        return frame.to_ndarray(format="gray16le").astype(np.uint16, copy=False)
    return frame.to_ndarray(format="bgr24", **_source_colours(frame))


def _source_colours(frame: Any) -> dict[str, int]:
    """What to tell the conversion to RGB about the frame; newer releases of PyAV find some of it themselves."""
    if frame.format.is_rgb:
        return {}
    colours: dict[str, int] = {}
    matrix = int(frame.colorspace)
    if matrix == _UNSPECIFIED and (frame.width >= HD[0] or frame.height >= HD[1]):
        matrix = _BT709
    if matrix in _MATRICES:
        # Older ones look at the matrix only where that of the result, which RGB has not, is said to be another.
        colours |= {"src_colorspace": _MATRICES[matrix], "dst_colorspace": _BT601}
    if frame.color_range:
        colours["src_color_range"] = int(frame.color_range)
    return colours


def display_matrix(frame: Any) -> np.ndarray | None:
    """The 2x2 part of the frame's display matrix: where its x axis (row 0) and y axis point on the screen; or None."""
    with suppress(ValueError):  # side data newer than PyAV
        data = frame.side_data.get("DISPLAYMATRIX")
        if data is not None:
            return np.frombuffer(bytes(data), "<i4").reshape(3, 3)[:2, :2]
    return None


def upright(image: Image, matrix: np.ndarray | None) -> Image:
    """Turn and mirror a picture by a display matrix, to the next right angle; None leaves it as it is."""
    if matrix is None:
        return image
    (xx, xy), (yx, yy) = matrix.astype(np.int64)
    if abs(xy) + abs(yx) > abs(xx) + abs(yy):
        image = np.swapaxes(image, 0, 1)
        xx, yy = yx, xy
    return np.ascontiguousarray(image[:: -1 if yy < 0 else 1, :: -1 if xx < 0 else 1])


def encodable(image: Image, form: str) -> Any:
    """Return HxWx3 BGR or HxW uint8 as a frame of the pixel format ``form``, BT.709 in limited range and tagged so."""
    import av

    if image.ndim == 2:  # no matrix: swscale would round down with one
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="gray").reformat(
            format=form, dst_color_range=_LIMITED
        )
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
    return frame.reformat(format=form, dst_colorspace=_BT709, dst_color_range=_LIMITED)


def tag(codec: Any) -> None:
    """Write into a stream what `encodable` makes of colours, so that players show them as they were."""
    codec.colorspace = codec.color_primaries = codec.color_trc = _BT709
    codec.color_range = _LIMITED
