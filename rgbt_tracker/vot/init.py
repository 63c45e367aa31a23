"""A new workspace of the VOT toolkit: trackers.ini, the two protocols, and how to use them."""

from __future__ import annotations

from pathlib import Path

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import check_writable, write_text

TEMPLATE = Path(__file__).with_name("workspace")


def write_workspace(folder: Path) -> list[Path]:
    """Write the files of a workspace into ``folder``, which is made where missing; returns them.

    Raises:
        UserError: one of the files is there already (nothing is written), or the folder cannot be written to.
    """
    sources = sorted(path.relative_to(TEMPLATE) for path in TEMPLATE.rglob("*") if path.is_file())
    check_writable(folder)
    for name in sources:
        if (folder / name).exists():
            raise UserError(f"'{folder / name}' is there already and would be overwritten; give another folder.")
    for name in sources:
        write_text(folder / name, (TEMPLATE / name).read_text(encoding="utf-8"))
    return [folder / name for name in sources]
