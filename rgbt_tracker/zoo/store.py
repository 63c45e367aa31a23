"""Weights on this machine: shipped with the package, fetched into the user's cache, or added by the user."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.files import cache_directory, expanded, file_hash, held, replacing, write_text
from nestfuse_core.common.sections import read_json
from rgbt_tracker.zoo.entries import SUFFIXES, Entry, shipped, table

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def cached_path(name: str) -> Path:
    """Return the file that holds the fetched or added weights ``name``, existing or not."""
    return cache_directory() / "weights" / f"{name}.pth"


def resolve(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the weights file for a path or a name; nothing is ever downloaded.

    A file of that path comes first, then what the user fetched or added, then what the package ships.

    Raises:
        UserError: there is no such file and no such name at hand (the message says what to type), or a fetched
            file is no longer the one that was recorded.
    """
    text = os.fspath(name_or_path)
    path = expanded(text)
    if path.is_file():
        return path
    if path.suffix in (*SUFFIXES, ".tar") or len(path.parts) != 1:
        raise UserError(f"No weights file at '{text}'; check the path, or see the names in 'rgbt weights list'.")
    if cached_path(text).is_file():
        _check_recorded(text)
        return cached_path(text)
    if text in shipped():
        return shipped()[text]
    raise UserError(_absent(text))


def _absent(name: str) -> str:
    entry = table().get(name)
    if entry is None:
        return (
            f"No weights called '{name}'{suggestion(name, known_names())} Expected a file or one of: "
            f"{', '.join(known_names())}. Your own file gets a name with 'rgbt weights add {name} FILE'."
        )
    size = f"{entry.size / 1e6:.1f} MB, " if entry.size else ""
    return (
        f"The weights '{name}' are not on this machine; type 'rgbt weights get {name}' to fetch them ({size}licence "
        f"{entry.licence}, {entry.source}), or 'rgbt weights add {name} FILE' if you have the file."
    )


def known_names() -> list[str]:
    """Return every name that ``resolve`` or ``get`` knows, sorted."""
    folder = cached_path("any").parent
    added = [path.stem for path in folder.glob("*.pth") if NAME.fullmatch(path.stem)] if folder.is_dir() else []
    return sorted({*table(), *shipped(), *added})


def get(name: str, force: bool = False, on_bytes: Callable[[int, int | None], None] | None = None) -> Path:
    """Fetch named weights into the cache, resuming a broken transfer, and return the file.

    Args:
        name: a name in the table.
        force: fetch even when the file is there, and forget a hash recorded on first use.
        on_bytes: called with (bytes so far, total or None) as they arrive.

    Raises:
        UserError: unknown name, no connection, no space, not the expected file, or another process that fetches.
    """
    from rgbt_tracker.zoo.download import fetch

    entry = table().get(name)
    if entry is None and name in shipped():
        return shipped()[name]
    if entry is None or entry.address is None:
        names = [row.name for row in table().values() if row.address]
        raise UserError(f"No address for weights '{name}'{suggestion(name, names)} Known: {', '.join(names)}.")
    target = cached_path(name)
    if target.is_file() and not force:
        _check_recorded(name)
        return target
    expected = entry.sha256 or (None if force else _records().get(name, {}).get("sha256"))
    with held(target.parent, "wait for its end and type the same command again"):
        received = fetch(
            entry.address,
            target.with_suffix(".download"),
            sha256=expected,
            size=entry.size,
            on_bytes=on_bytes,
            by_hand=f"'rgbt weights add {name} FILE'",
        )
        try:
            _check_checkpoint(received)
            with replacing(target) as temporary:
                received.replace(temporary)
        finally:
            received.unlink(missing_ok=True)
        _record(name, entry.address)
    return target


def add(name: str, file: str | os.PathLike[str]) -> Path:
    """Adopt the user's own file under a name (a new one, or one from the table) and return the copy in the cache.

    Raises:
        UserError: bad name, not a checkpoint of plain tensors, or not the published file of that name.
    """
    if not NAME.fullmatch(name):
        raise UserError(f"Expected a name of letters, digits, '.', '_' and '-', got '{name}'.")
    if name in shipped():
        raise UserError(f"The name '{name}' belongs to weights shipped with the package; choose another one.")
    source = expanded(file)
    _check_checkpoint(source)
    entry = table().get(name) or Entry(name=name)
    if entry.sha256 and (found := file_hash(source)) != entry.sha256:
        raise UserError(
            f"The file '{source}' is not the published '{name}': expected SHA-256 {entry.sha256}, got {found}; "
            "add it under a name of your own."
        )
    with replacing(cached_path(name)) as temporary:
        shutil.copyfile(source, temporary)
    _record(name, str(source))
    return cached_path(name)


def _check_checkpoint(path: Path) -> None:
    from nestfuse_core.common.checkpoints import read_checkpoint, state_dict_of

    state_dict_of(read_checkpoint(path))


def _records() -> dict[str, dict[str, Any]]:
    path = cache_directory() / "weights" / "recorded.json"
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _record(name: str, source: str) -> None:
    """Remember the hash of a cached file, and its size and time so that it is hashed again only when touched."""
    path = cached_path(name)
    facts = path.stat()
    row = {"sha256": file_hash(path), "size": facts.st_size, "mtime_ns": facts.st_mtime_ns, "source": source}
    records = {**_records(), name: row}
    write_text(path.parent / "recorded.json", json.dumps(records, indent=2, sort_keys=True) + "\n")


def _check_recorded(name: str) -> None:
    """Refuse a cached file that is not the published one, or not the one recorded on first use."""
    path, row = cached_path(name), _records().get(name, {})
    facts = path.stat()
    if row and (row.get("size"), row.get("mtime_ns")) == (facts.st_size, facts.st_mtime_ns):
        return
    entry = table().get(name)
    expected = (entry.sha256 if entry else None) or row.get("sha256")
    if expected and (found := file_hash(path)) != expected:
        again = f"'rgbt weights get {name} --force'" if entry else f"'rgbt weights add {name} FILE'"
        raise UserError(
            f"The weights file '{path}' has changed: expected SHA-256 {expected}, got {found}; restore it with {again}."
        )
    _record(name, str(row.get("source", path)))
