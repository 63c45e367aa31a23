"""The weights that this project trained and ships; recipe, data and measured results are in README.md beside them."""

from __future__ import annotations

import os
from pathlib import Path

from nestfuse_core.common.errors import UserError, suggestion

FOLDER = Path(__file__).parent
DEFAULT = "paper-lambda100"
SUFFIX = ".pt"


def available() -> list[str]:
    """Return the names of the shipped weights."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def locate(weights: str | os.PathLike[str] | None = None) -> Path:
    """Return the file behind a shipped name (``None``: the default) or a path.

    Raises:
        UserError: neither a shipped name nor a file.
    """
    name = DEFAULT if weights is None else str(weights)
    shipped = FOLDER / f"{name}{SUFFIX}"
    if name in available():
        return shipped
    if Path(name).is_file():
        return Path(name)
    names = available()
    listing = ", ".join(names) if names else "none are installed"
    raise UserError(f"No weights at '{name}'; expected a file or a shipped name ({listing}){suggestion(name, names)}")
