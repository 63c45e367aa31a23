"""The table of weights that have a name: where they come from, under which licence, for which configuration."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

TABLE = Path(__file__).with_name("table.yaml")
SHIPPED = Path(__file__).resolve().parents[1] / "weights"
SUFFIXES = (".pth", ".pt")


class Entry(BaseModel):
    """One named set of weights.

    Attributes:
        name: what the user types.
        address: where ``rgbt weights get`` fetches it, or None for weights that come with the package.
        sha256: expected hash in hexadecimal, or None when nobody published one.
        size: bytes, or None when unknown.
        licence: SPDX name, or as the source words it.
        config: the configuration in ``configs/`` that fits, or None.
        source: page that describes the weights.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    address: str | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    size: int | None = None
    licence: str = "Apache-2.0"
    config: str | None = None
    source: str = ""


@cache
def table() -> dict[str, Entry]:
    """Return every weights file that can be fetched, by name."""
    rows = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return {name: Entry(name=name, **row) for name, row in rows.items()}


def shipped() -> dict[str, Path]:
    """Return the weights files that come with the package, by name (the file name without its suffix)."""
    if not SHIPPED.is_dir():
        return {}
    return {path.stem: path for path in sorted(SHIPPED.iterdir()) if path.suffix in SUFFIXES}
