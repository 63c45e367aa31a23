"""VOT-RGBT2019 on this disk: download it from the VOT server, or adopt a folder the user has."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from nestfuse_core.common.archives import MOST_BYTES, unpack
from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.files import replacing, write_text
from rgbt_tracker.vot.dataset import inspect_sequence, listed_sequences, several_targets
from rgbt_tracker.vot.description import DESCRIPTION, Archive, Entry, read_description
from rgbt_tracker.zoo.download import fetch

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
    archives = [_fetch(target / ".archives", entry.name, archive, report) for archive in entry.archives]
    with replacing(target / entry.name) as folder:
        for archive, file in zip(entry.archives, archives, strict=True):
            _unpack(file, folder / archive.folder, archive.uncompressed)
        write_text(folder / "sequence", "".join(f"{key}={value}\n" for key, value in entry.properties.items()))
        problems = inspect_sequence(folder).problems
        if problems:
            raise UserError(f"The sequence '{entry.name}' of the VOT server is not as expected: {problems[0]}.")
    for file in archives:
        file.unlink(missing_ok=True)


def _fetch(folder: Path, name: str, archive: Archive, report: Callable[[int, int | None], None]) -> Path:
    """The archive's file, fetched or kept from an earlier call, with the right hash."""
    file = folder / f"{name}-{archive.folder or 'annotations'}.zip"
    if not file.is_file():
        fetch(archive.address, file, most=_with_room(archive.compressed) or MOST_BYTES, on_bytes=report)
    found = _md5(file)
    if archive.md5 and found != archive.md5.lower():
        file.unlink()
        raise UserError(
            f"The archive {archive.address} arrived with MD5 {found}, expected {archive.md5}; it was thrown away, type "
            "the same command again."
        )
    return file


def _with_room(size: int) -> int:
    """What may come where so many bytes were announced: a tenth more; 0 where none were."""
    return min(size + size // 10 + (1 << 16), MOST_BYTES) if size > 0 else 0


def _md5(file: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _unpack(file: Path, folder: Path, size: int) -> None:
    """Extract a zip file of ``size`` bytes, 0 where the server did not tell."""
    try:
        unpack(file, folder, _with_room(size) or MOST_BYTES)
    except UserError as error:
        file.unlink(missing_ok=True)
        raise UserError(f"{error} It was thrown away; type the same command again.") from error


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
    further = several_targets(source)
    with replacing(target / source.name) as folder:
        folder.mkdir()
        for item in sorted(source.iterdir()):
            if item.is_dir():
                _link(item.resolve(), folder / item.name, copy)
            elif item.name not in further:
                shutil.copyfile(item, folder / item.name)


def _link(source: Path, target: Path, copy: bool) -> None:
    if not copy:
        try:
            target.symlink_to(source, target_is_directory=True)
            return
        except OSError:
            pass  # Windows without the right to make links
    for folder, _, files in os.walk(source):  # copytree goes on after a disk is full, and its error names no file
        place = target / Path(folder).relative_to(source)
        place.mkdir()
        for name in files:
            shutil.copyfile(Path(folder, name), place / name)


def finish(target: Path, names: list[str]) -> list[str]:
    """Write list.txt, which tells the toolkit that the dataset is complete; sequences listed before stay listed."""
    kept = [name for name in listed_sequences(target) if name not in names and _is_complete(target / name)]
    every = sorted([*kept, *names], key=str.lower)
    write_text(target / "list.txt", "".join(f"{name}\n" for name in every))
    return every
