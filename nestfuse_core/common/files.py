"""Files and folders that are either complete or absent, and what a killed process left of them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from nestfuse_core.common.errors import DISK_FULL, UserError

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed or replaced anyway
    fcntl = None  # type: ignore[assignment]

UNFINISHED = ".rgbt-unfinished-"
"""How the names of all temporary folders begin. They are hidden, so that no reader takes what lies in one for a result.
A process holds a lock on those that it uses."""
FORGOTTEN = 86400.0
"""Seconds after which a temporary folder counts as left behind where folders cannot be locked."""


OTHER_OUTPUT = "wait for its end, or give another --output"
"""What the second of two processes on one output is to do, for `held`."""


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


def expanded(path: str | os.PathLike[str]) -> Path:
    """The path with a leading ``~`` or ``~name`` replaced by that user's home.

    Raises:
        UserError: there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UserError(f"There is no user with a home as in '{path}'; write the folder's whole path.") from None


def cache_directory() -> Path:
    """Where what is fetched or made once lies: ``$RGBT_CACHE``, else the platform's cache folder of this user."""
    chosen = os.environ.get("RGBT_CACHE")
    if chosen:
        return expanded(chosen)
    import platformdirs  # only here: most commands never ask

    return Path(platformdirs.user_cache_path("rgbt-tracker"))


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def remembered_hash(path: Path) -> str:
    """`file_hash`, computed again only once the file has changed."""
    return _hash_of(path, path.stat().st_mtime_ns)


@cache
def _hash_of(path: Path, modified: int) -> str:
    return file_hash(path)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path of the same name in a temporary folder beside ``path``; what is written there becomes ``path``.

    It may be a file or a folder, takes the place of a file or folder that was there, and is on the disk, not in the
    system's memory alone, before it does. On any exception, interruption included, ``path`` stays as it was; what a
    killed process leaves is removed by the next one that writes into the same folder. Missing parent folders are made.

    Raises:
        OSError: what the system refuses, with ``path`` as its file where it named none or one of the temporary folder.
    """
    target = Path(path)
    try:
        with temporary_folder(target.parent) as folder:
            temporary = folder / target.name
            yield temporary
            _flush(temporary)
            if temporary.is_dir():
                _remove(target)
            temporary.replace(target)
            _flush_one(target.parent)
    except OSError as error:
        # A copy that fills the disk names the file that it reads.
        if error.filename is None or UNFINISHED in str(error.filename) or error.errno in DISK_FULL:
            raise OSError(error.errno, error.strerror or str(error), str(target)) from error
        raise


@contextmanager
def temporary_folder(parent: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """Yield an empty folder in ``parent`` (the system's for such things by default) that is removed at the end.

    What processes that were killed have left of the kind in ``parent`` is removed first.
    """
    place = Path(tempfile.gettempdir() if parent is None else parent)
    place.mkdir(parents=True, exist_ok=True)
    _sweep_once(place)
    folder, lock = _locked_folder(place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unlock(lock)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8 with ``\\n`` line ends, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Write ``data`` to ``path``, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def sweep(folder: Path) -> None:
    """Remove the temporary folders in ``folder`` that no living process holds."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if entry.name.startswith(UNFINISHED) and entry.is_dir(follow_symlinks=False):
                _remove_if_left(Path(entry.path))


_sweep_once = cache(sweep)


def _remove_if_left(folder: Path) -> None:
    try:
        lock = _lock(folder)
    except BlockingIOError:
        return
    if lock is None and time.time() - folder.stat().st_mtime < FORGOTTEN:
        return
    # Held while it is removed, so that a process that has just made it waits and then makes another.
    shutil.rmtree(folder, ignore_errors=True)
    _unlock(lock)


def _locked_folder(place: Path) -> tuple[Path, int | None]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=place))
        lock = None
        with suppress(FileNotFoundError):  # another process's sweep may come between
            lock = _lock(folder, wait=True)
            if folder.is_dir():
                return folder, lock
        _unlock(lock)


def _lock(folder: Path, wait: bool = False) -> int | None:
    """Lock a folder until the returned descriptor is closed, by `_unlock` or by the process's end.

    None where folders cannot be locked: on Windows, and on some network drives.

    Raises:
        BlockingIOError: another process holds it, and ``wait`` is false.
    """
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return descriptor


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


@contextmanager
def held(folder: str | os.PathLike[str], remedy: str) -> Iterator[None]:
    """Keep other processes that ask for it likewise out of ``folder``, which is made where missing.

    Args:
        remedy: end of the message, what the second one is to do.

    Raises:
        UserError: another process holds it; says which one, where the system tells.
    """
    place = Path(folder)
    made = not place.exists()
    place.mkdir(parents=True, exist_ok=True)
    try:
        lock = _lock(place)
    except BlockingIOError:
        raise UserError(f"Another process{_holder(place)} is writing to '{place}' just now; {remedy}.") from None
    try:
        yield
    finally:
        _unlock(lock)
        if made:
            with suppress(OSError):  # it holds something
                place.rmdir()


def _holder(folder: Path) -> str:
    """`` (number N)`` of the process that locks a folder, as far as Linux tells; else nothing."""
    place = f":{folder.stat().st_ino}"
    with suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            words = line.split()
            if len(words) > 5 and words[1] == "FLOCK" and words[5].endswith(place):
                return f" (number {words[4]})"
    return ""


def _flush(path: Path) -> None:
    """Have the system write a file, or a folder with all that is in it, to the disk."""
    for folder, _, files in os.walk(path) if path.is_dir() else []:
        for name in files:
            _flush_one(Path(folder) / name)
    _flush_one(path)


def _flush_one(path: Path) -> None:
    if path.is_dir() and os.name != "posix":
        return  # which Windows does by itself
    if path.is_symlink():
        return
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    """Remove what is at ``path``, without following a link."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
