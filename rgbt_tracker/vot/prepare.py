"""VOT-RGBT2019 on this disk: download it from the VOT server, or adopt a folder the user has."""

from __future__ import annotations

import errno
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.files import write_text
from rgbt_tracker.vot.dataset import inspect_sequence, listed_sequences, several_targets
from rgbt_tracker.vot.description import DESCRIPTION, Archive, Entry, read_description
from rgbt_tracker.zoo.download import fetch

FULL_DISK = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
Report = Callable[[str, int, "int | None"], None]


def download(
    target: Path, address: str = DESCRIPTION, names: list[str] | None = None, report: Report = lambda *progress: None
) -> list[str]:
    """Fetch the dataset into ``target``; complete sequences are kept, broken transfers continued; list.txt comes last.

    Args:
        names: only these sequences.
        report: called with (what, bytes so far, total or None).

    Returns:
        Names of the sequences in list.txt.

    Raises:
        UserError: no connection, no space, a wrong or damaged archive.
    """
    entries = read_description(address)
    known = [entry.name for entry in entries]
    for name in names or []:
        if name not in known:
            raise UserError(f"VOT-RGBT2019 has no sequence '{name}'{suggestion(name, known)}")
    wanted = [entry for entry in entries if not names or entry.name in names]
    missing = [entry for entry in wanted if not _is_complete(target / entry.name)]
    _check_space(target, missing)
    for number, entry in enumerate(missing, start=1):
        title = f"{number}/{len(missing)} {entry.name}"

        def show(done: int, total: int | None, title: str = title) -> None:
            report(title, done, total)

        _install(target, entry, show)
    shutil.rmtree(target / ".archives", ignore_errors=True)
    return finish(target, [entry.name for entry in wanted])


def _is_complete(folder: Path) -> bool:
    return folder.is_dir() and not inspect_sequence(folder).problems


def _check_space(target: Path, entries: list[Entry]) -> None:
    """Refuse before the first byte what cannot fit."""
    unpacked = sum(archive.uncompressed for entry in entries for archive in entry.archives)
    largest = max((sum(archive.compressed for archive in entry.archives) for entry in entries), default=0)
    target.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target).free
    if unpacked + largest > free:
        raise UserError(
            f"VOT-RGBT2019 needs {(unpacked + largest) / 1e9:.1f} GB more in '{target}', {free / 1e9:.1f} GB are free; "
            "make room or choose another folder with --workspace."
        )


def _install(target: Path, entry: Entry, report: Callable[[int, int | None], None]) -> None:
    """Fetch and unpack one sequence; its folder appears when it is complete."""
    _sweep(target, entry.name)
    archives = [_fetch(target / ".archives", entry.name, archive, report) for archive in entry.archives]
    with tempfile.TemporaryDirectory(prefix=f".{entry.name}-", dir=target) as temporary:
        folder = Path(temporary) / entry.name
        try:
            for archive, file in zip(entry.archives, archives, strict=True):
                _unpack(file, folder / archive.folder)
            write_text(folder / "sequence", "".join(f"{key}={value}\n" for key, value in entry.properties.items()))
        except OSError as error:
            _raise_full(target, error)
        problems = inspect_sequence(folder).problems
        if problems:
            raise UserError(f"The sequence '{entry.name}' of the VOT server is not as expected: {problems[0]}.")
        shutil.rmtree(target / entry.name, ignore_errors=True)
        folder.replace(target / entry.name)
    for file in archives:
        file.unlink(missing_ok=True)


def _sweep(target: Path, name: str) -> None:
    """Remove what a killed process was unpacking."""
    for folder in target.glob(f".{name}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _raise_full(target: Path, error: OSError) -> None:
    if error.errno in FULL_DISK:
        raise UserError(
            f"The disk of '{target}' is full; make room and type the same command again, it continues from there."
        ) from error
    raise UserError(f"Cannot write to '{target}': {error.strerror or error}.") from error


def _fetch(folder: Path, name: str, archive: Archive, report: Callable[[int, int | None], None]) -> Path:
    """The archive's file, fetched or kept from an earlier call, with the right hash."""
    file = folder / f"{name}-{archive.folder or 'annotations'}.zip"
    if not file.is_file():
        fetch(archive.address, file, on_bytes=report)
    found = _md5(file)
    if archive.md5 and found != archive.md5.lower():
        file.unlink()
        raise UserError(
            f"The archive {archive.address} arrived with MD5 {found}, expected {archive.md5}; it was thrown away, type "
            "the same command again."
        )
    return file


def _md5(file: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _unpack(file: Path, folder: Path) -> None:
    """Extract a zip file; names that point outside are refused."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                inside = (folder / member.filename).resolve().is_relative_to(folder.resolve())
                if not inside:
                    raise UserError(f"The archive '{file.name}' holds a file outside its folder: '{member.filename}'.")
            archive.extractall(folder)
    except (zipfile.BadZipFile, EOFError) as error:
        file.unlink(missing_ok=True)
        raise UserError(
            f"The archive '{file.name}' is damaged ({error}); it was thrown away, type the same command again."
        ) from error


def adopt(target: Path, source: Path, names: list[str] | None = None, copy: bool = False) -> list[str]:
    """Use sequences in the VOT layout that are on this disk: annotations are copied, frames linked.

    Args:
        source: a folder of sequences, or one sequence.
        copy: copy the frames too. Where links are not allowed they are copied anyway.

    Raises:
        UserError: no sequences there, or damaged ones.
    """
    folders = _sequences_in(source, names)
    for folder in folders:
        problems = inspect_sequence(folder).problems
        if problems:
            raise UserError(f"The sequence '{folder}' cannot be used: {problems[0]}.")
    for folder in folders:
        if folder.resolve() != (target / folder.name).resolve():
            _adopt_one(target, folder, copy)
    return finish(target, [folder.name for folder in folders])


def _sequences_in(source: Path, names: list[str] | None) -> list[Path]:
    if not source.is_dir():
        raise UserError(f"Expected a folder of sequences, '{source}' is none.")
    found = [source] if (source / "sequence").is_file() else sorted(path.parent for path in source.glob("*/sequence"))
    if not found:
        raise UserError(
            f"Expected sequences in the VOT layout (NAME/sequence, NAME/groundtruth.txt, NAME/color, NAME/ir) in "
            f"'{source}', found none."
        )
    known = [folder.name for folder in found]
    for name in names or []:
        if name not in known:
            raise UserError(f"There is no sequence '{name}' in '{source}'{suggestion(name, known)}")
    return [folder for folder in found if not names or folder.name in names]


def _adopt_one(target: Path, source: Path, copy: bool) -> None:
    if _is_complete(target / source.name):
        return
    target.mkdir(parents=True, exist_ok=True)
    _sweep(target, source.name)
    further = several_targets(source)
    with tempfile.TemporaryDirectory(prefix=f".{source.name}-", dir=target) as temporary:
        folder = Path(temporary) / source.name
        folder.mkdir()
        try:
            for item in sorted(source.iterdir()):
                if item.is_dir():
                    _link(item.resolve(), folder / item.name, copy)
                elif item.name not in further:
                    shutil.copyfile(item, folder / item.name)
        except OSError as error:
            _raise_full(target, error)
        _remove(target / source.name)
        folder.replace(target / source.name)


def _remove(folder: Path) -> None:
    """Remove an earlier, incomplete copy without following links into the source."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.is_dir():
        shutil.rmtree(folder)


def _link(source: Path, target: Path, copy: bool) -> None:
    if not copy:
        try:
            target.symlink_to(source, target_is_directory=True)
            return
        except OSError:
            pass  # Windows without the right to make links
    shutil.copytree(source, target)


def finish(target: Path, names: list[str]) -> list[str]:
    """Write list.txt, which tells the toolkit that the dataset is complete; sequences listed before stay listed."""
    kept = [name for name in listed_sequences(target) if name not in names and _is_complete(target / name)]
    every = sorted([*kept, *names], key=str.lower)
    write_text(target / "list.txt", "".join(f"{name}\n" for name in every))
    return every
