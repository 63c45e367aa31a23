"""Published results as they are downloaded: archives, unpacked for as long as they are read."""

from __future__ import annotations

import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nestfuse_core.common.errors import UserError


@contextmanager
def unpacked(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield the paths with every ``.tar.*`` and ``.zip`` file replaced by a temporary folder of its content.

    Raises:
        UserError: a file that is no archive, a damaged one, or one whose members would leave their folder.
    """
    with tempfile.TemporaryDirectory(prefix="rgbt-results-") as temporary:
        yield [_unpack(path, Path(temporary) / str(number)) if path.is_file() else path
               for number, path in enumerate(paths)]  # fmt: skip


def _unpack(archive: Path, place: Path) -> Path:
    """Unpack into a folder called as the archive, after which a tracker may be named."""
    folder = place / archive.name.split(".")[0]
    folder.mkdir(parents=True)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                file.extractall(folder)
        else:
            with tarfile.open(archive) as file:
                file.extractall(folder, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise UserError(
            f"Expected a folder or an archive (.tar.*, .zip) of results, got '{archive}': {error}."
        ) from error
    return folder
