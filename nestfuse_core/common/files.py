"""Files that are either complete or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nestfuse_core.common.errors import UserError


def check_writable(folder: str | os.PathLike[str]) -> None:
    """Refuse a folder that results could not be written to, before the work rather than after it; makes nothing.

    Raises:
        UserError: it, or the nearest folder above it that exists, is a file or may not be written to.
    """
    place = Path(folder).absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise UserError(f"Cannot write to '{folder}': '{place}' is no folder; give another one, or make way there.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"Cannot write to '{folder}': no permission to write in '{place}'; give another folder.")


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` (same suffix) and rename it to ``path`` when the block succeeds.

    On any exception, interruption included, the temporary file is removed and ``path`` stays as it was.
    Missing parent folders are made.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; give the result the permissions any new file would have.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8 with ``\\n`` line ends, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))
