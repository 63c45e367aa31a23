"""Words by which people tell the two cameras apart in the names of files and folders."""

from __future__ import annotations

import re
import unicodedata

CAMERAS = {"rgb": "visible", "ir": "thermal"}
"""Camera -> what its pictures are called in messages."""
WORDS = {
    "infrared": ("infrared", "thermal", "lwir", "tir", "inf", "ir", "th", "swir", "nir", "t", "i"),
    "visible": ("visible", "visual", "colour", "color", "vis", "rgb", "vi", "co", "v", "w"),
    "fused": ("fused", "fusion", "result"),
}
"""Role -> words that state it, the surest first; the letters are those of DJI's (W: wide-angle) and GTOT's names."""


def composed(name: str) -> str:
    """A name as one is compared: macOS writes an accented letter as two characters, others as one."""
    return unicodedata.normalize("NFC", name)


def scene_key(stem: str) -> tuple[str, str | None]:
    """Return a file name without a leading or trailing word for its role and leading zeros, and that role.

    A word counts before a single letter: in ``I00001_visible`` the ``I`` is part of the scene's name.

    >>> scene_key("IR1"), scene_key("00012_rgb"), scene_key("FLIR_0003")
    (('1', 'infrared'), ('12', 'visible'), ('flir_3', None))
    """
    text, role = without_role(composed(stem).lower())
    # Zeros after a point are not leading ones: 1700000000.0333 is not 1700000000.333.
    return re.sub(r"(?<!\d)(?<!\d\.)\d+", lambda digits: str(int(digits.group())), text).strip("-_. "), role


def without_role(text: str, shortest: int = 1) -> tuple[str, str | None]:
    """A lower-case name without the word that states its role, and that role; words from ``shortest`` letters on."""
    for letters in (False, True):
        for role, words in WORDS.items():
            choice = "|".join(word for word in words if (len(word) == 1) == letters and len(word) >= shortest)
            if not choice:
                continue
            stripped = re.sub(rf"^(?:{choice})(?![a-z])|(?<![a-z])(?:{choice})$", "", text, count=1)
            if stripped != text:
                return stripped, role
    return text, None
