"""Names that files are called after: whatever they were, they decide no path."""

from __future__ import annotations

import re
import zlib
from typing import Annotated

from pydantic import AfterValidator

LONGEST = 100
"""Letters of a name; file systems take 255 bytes, and endings are added to it."""


def safe_name(text: str) -> str:
    """Return a name as one that any file system takes and that leads nowhere: one part of a path, no dot in front.

    Whatever writes a file or folder called after something (a sequence, a tracker, a recipe) passes its name through
    here.
    """
    name = re.sub(r"[^\w.+-]+", "_", text).strip("._") or "unnamed"
    # Long names that differ at their ends stay apart.
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}-{zlib.crc32(name.encode()):08x}"


def _checked(name: str) -> str:
    if name != safe_name(name):
        raise ValueError(f"expected a name of letters, digits and . + - _, such as '{safe_name(name)}'")
    return name


Name = Annotated[str, AfterValidator(_checked)]
"""A name in a typed configuration: refused, and not changed, where it is not safe."""
