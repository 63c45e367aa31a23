"""What `rgbt bench run` notes beside its results: the settings they were made with."""

from __future__ import annotations

from pathlib import Path

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.sections import read_json

SETTINGS = "settings.json"
BENCHMARK = "benchmark"


def benchmark_of(folder: Path) -> str | None:
    """The benchmark that the results in a folder were made for; None where nothing says so.

    Raises:
        UserError: a damaged file.
    """
    path = folder / SETTINGS
    if not path.is_file():
        return None
    try:
        name = read_json(path).get(BENCHMARK)
    except (ValueError, AttributeError):
        raise UserError(f"Expected the settings of earlier results in '{path}', but it is damaged.") from None
    return str(name) if name else None
