"""Archives of strangers: unpacked inside their folder, within limits, and nothing but files and folders."""

from __future__ import annotations

import errno
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Generator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from nestfuse_core.common.errors import UserError

MOST_BYTES, MOST_FILES = 8_000_000_000, 200_000
"""What an archive may hold where nobody has said how much it does."""
CHUNK = 1 << 20
_BAD_NAMES = (errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.EILSEQ)
"""How a system refuses a name: too long, both a file and a folder, or of letters that it lacks."""
DAMAGE = (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, RuntimeError, ValueError)
"""How Python's readers end on archives that are damaged, encrypted (RuntimeError) or of kinds that they lack."""


class _Member(NamedTuple):
    """A file of an archive: its name there, and how to read it."""

    name: str
    content: IO[bytes]


def unpack(archive: Path, folder: Path, most: int = MOST_BYTES) -> None:
    """Unpack a ``.zip`` or ``.tar.*`` file into ``folder``, which is made where missing.

    Bytes are counted as they come, whatever the archive says of itself. Links and devices are passed over.

    Args:
        most: bytes that the files may be.

    Raises:
        UserError: a file that is no archive or damaged, a name that leads out of the folder, or more than allowed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _unpack(archive, folder, most)
    except UserError:
        raise
    except DAMAGE as error:
        raise UserError(f"The archive '{archive.name}' is damaged or of an unknown kind ({error}).") from error
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise UserError(f"The archive '{archive.name}' is damaged (it points before its beginning).") from error
        if error.errno in _BAD_NAMES:
            raise UserError(
                f"The archive '{archive.name}' holds names that no files can have ({error.strerror}); pack it again."
            ) from error
        raise


def _unpack(archive: Path, folder: Path, most: int) -> None:
    left = most
    with closing(_members(archive)) as members:
        for count, member in enumerate(members):
            target = _inside(folder, member.name, archive)
            if count >= MOST_FILES:
                raise UserError(f"The archive '{archive.name}' holds more than {MOST_FILES} files; nothing was kept.")
            target.parent.mkdir(parents=True, exist_ok=True)
            with member.content as source, target.open("wb") as file:
                while data := source.read(min(CHUNK, left + 1)):
                    left -= len(data)
                    if left < 0:
                        raise UserError(
                            f"The archive '{archive.name}' holds more than the {most / 1e6:.0f} MB that were expected; "
                            "nothing was kept."
                        )
                    file.write(data)


def _members(archive: Path) -> Generator[_Member, None, None]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            yield from (_Member(item.filename, zipped.open(item)) for item in zipped.infolist() if not item.is_dir())
        return
    with tarfile.open(archive) as tar:
        for item in tar:
            content = tar.extractfile(item) if item.isreg() else None
            if content is not None:
                yield _Member(item.name, content)


def _inside(folder: Path, name: str, archive: Path) -> Path:
    """Where a member goes; also on Windows, whose separators and drives count everywhere."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0] or "\0" in name:
        raise UserError(f"The archive '{archive.name}' holds a file outside its folder: '{name}'.")
    return folder.joinpath(*parts)
