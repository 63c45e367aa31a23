"""Folders of photographs."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


def photo_files(folder: Path) -> list[Path]:
    """The photographs that lie in ``folder`` itself, sorted."""
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
