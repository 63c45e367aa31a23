"""Where an encoded picture ends: cameras append clips, sounds and previews to it, and interrupted copies cut it off."""

from __future__ import annotations

import re

JPEG, PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
# In a JPEG's scan data 0xFF stands before 0 (a stuffed byte) or a restart mark; anything else is the next segment.
_AFTER_SCAN = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_MARKER = re.compile(rb"\xff+[^\x00\xff]")
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA
# Marks that stand alone, without a length: TEM, the restart marks and the start of the image.
_ALONE = {0x01, *range(0xD0, 0xD9)}


def end_of_picture(data: bytes) -> int | None:
    """Return the number of bytes that the first picture in ``data`` takes, or None where it is cut off.

    JPEG and PNG are walked segment by segment, since their end marks may also occur inside (a preview in the header)
    and after them (a second picture); other formats end where the data does.
    """
    if data.startswith(JPEG):
        return _end_of_jpeg(data)
    if data.startswith(PNG):
        return _end_of_png(data)
    return len(data)


def _end_of_jpeg(data: bytes) -> int | None:
    """Segments (ITU-T T.81, annex B): a mark, for most of them a length, and after a scan's header its data."""
    place, pattern = len(JPEG), _MARKER
    while found := pattern.search(data, place):
        place, mark, pattern = found.end(), data[found.end() - 1], _MARKER
        if mark == _END_OF_IMAGE:
            return place
        if mark in _ALONE:
            continue
        place += int.from_bytes(data[place : place + 2], "big")
        if mark == _START_OF_SCAN:
            pattern = _AFTER_SCAN
    return None


def _end_of_png(data: bytes) -> int | None:
    """Chunks: length, name, data, checksum; the last is IEND."""
    place = len(PNG)
    while place + 12 <= len(data):
        name = data[place + 4 : place + 8]
        place += 12 + int.from_bytes(data[place : place + 4], "big")
        if name == b"IEND":
            return place if place <= len(data) else None
    return None
