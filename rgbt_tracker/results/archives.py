"""Published results as they are downloaded: archives, unpacked for as long as they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nestfuse_core.common.archives import unpack
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import temporary_folder
from nestfuse_core.common.names import safe_name


@contextmanager
def unpacked(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield the paths with every ``.tar.*`` and ``.zip`` file replaced by a temporary folder of its content.

    Raises:
        UserError: a file that is no archive, a damaged one, or one whose members would leave their folder; what goes
            wrong with the content names the archive.
    """
    with temporary_folder() as folder:
        places = {path: _unpack(path, folder / str(number)) for number, path in enumerate(paths) if path.is_file()}
        try:
            yield [places.get(path, path) for path in paths]
        except UserError as error:
            text = str(error)
            for path, place in places.items():
                text = text.replace(str(place), str(path))
            raise UserError(text) from error


def _unpack(archive: Path, place: Path) -> Path:
    """Unpack into a folder called as the archive, after which a tracker may be named."""
    folder = place / safe_name(archive.name.split(".")[0])
    try:
        unpack(archive, folder)
    except UserError as error:
        raise UserError(
            f"Expected a folder or an archive (.tar.*, .zip) of results, got '{archive}': {error}"
        ) from error
    return folder
