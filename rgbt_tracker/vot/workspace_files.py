"""What a workspace's files may say, checked before vot-toolkit sees them: its own YAML reader would run code."""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.names import safe_name
from nestfuse_core.common.reading import read_text
from nestfuse_core.common.sections import read_yaml, shown

OWN = ("vot.", "rgbt_tracker.vot.")
"""Packages whose classes a stack may name; the toolkit would import whatever stands there."""
NEEDED = ("command", "protocol")


def check_workspace(root: Path) -> None:
    """Read every file of a workspace that the toolkit would read, as data.

    Raises:
        UserError: one that is missing, damaged, of another shape, or that names code, or a place for results outside
            the workspace.
    """
    if not (root / "config.yaml").is_file():
        raise UserError(f"Expected a workspace with a config.yaml in '{root}', found none; see --workspace.")
    config = read_yaml(root / "config.yaml")
    where = f"The workspace's '{root / 'config.yaml'}'"
    sequences = config.get("sequences", "sequences")
    if not isinstance(sequences, str):
        raise UserError(f"{where}: expected a folder as sequences, got {shown(sequences)}.")
    _check_list(root / sequences)
    _check_stack(root, config.get("stack"), where)
    registry = config.get("registry", [])
    if not isinstance(registry, list) or not all(isinstance(item, str) for item in registry):
        raise UserError(f"{where}: expected a list of files or folders as registry, got {shown(registry)}.")
    for item in registry:
        place = root / item
        _check_trackers(place / "trackers.ini" if place.is_dir() else place)


def _check_list(sequences: Path) -> None:
    listing = sequences / "list.txt"
    if not listing.is_file():
        raise UserError(f"There are no sequences in '{sequences}' (no list.txt); type 'rgbt vot prepare' first.")
    names = [line.strip() for line in read_text(listing, replace=True).splitlines()]
    for name in filter(None, names):
        _check_name(f"The list '{listing}'", "sequence", name)
        if not (sequences / name).is_dir():
            raise UserError(f"The list '{listing}' names '{name}', which is no folder beside it; fetch it again.")
    if not any(names):
        raise UserError(f"The list '{listing}' is empty; type 'rgbt vot prepare' first.")


def _check_name(where: str, kind: str, name: Any) -> None:
    """Results are put into folders called as sequences and experiments."""
    if not isinstance(name, str) or safe_name(name) != name.replace(" ", "_"):
        raise UserError(f"{where} has the {kind} {shown(name)}; expected a name of letters, digits and . + - _.")


def _check_stack(root: Path, stack: Any, where: str) -> None:
    if isinstance(stack, str):
        file = root / stack
        if not file.is_file():
            return  # one of the toolkit's own, or none, which the toolkit says
        stack, where = read_yaml(file), f"The stack '{file}'"
    if not isinstance(stack, dict):
        raise UserError(f"{where}: expected the name of a stack, its file or its content as stack, got {shown(stack)}.")
    experiments = stack.get("experiments")
    if not isinstance(experiments, dict) or not experiments:
        raise UserError(f"{where}: expected sections below experiments, got {shown(experiments)}.")
    for name, content in experiments.items():
        _check_name(where, "experiment", name)
        if not isinstance(content, dict) or "type" not in content:
            raise UserError(f"{where}: expected the experiment '{name}' as a section with its type.")
    for kind in _types(experiments):
        if not isinstance(kind, str) or ("." in kind and not kind.startswith(OWN)):
            raise UserError(
                f"{where}: the type {shown(kind)} would be imported as code; expected one of the toolkit's, or of "
                "rgbt_tracker.vot. Use 'vot evaluate' for classes of your own."
            )


def _types(part: Any) -> Iterator[Any]:
    """Everything that nested sections call ``type``."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        if key == "type":
            yield value
        yield from _types(value)


def _check_trackers(file: Path) -> None:
    """A registry of trackers, which the toolkit reads with Python's parser and hands on without a look."""
    if file.suffix.lower() != ".ini" or not file.is_file():
        return
    parser = configparser.ConfigParser()
    try:
        parser.read_string(read_text(file), str(file))
        rows = {name: dict(parser[name]) for name in parser.sections()}
    except (configparser.Error, ValueError) as error:
        raise UserError(f"Cannot read the trackers in '{file}': {' '.join(str(error).split())[:300]}.") from error
    for name, row in rows.items():
        missing = next((key for key in NEEDED if not row.get(key, "").strip()), None)
        if missing:
            raise UserError(f"The tracker '{name}' in '{file}' has no {missing}; see rgbt_tracker's trackers.ini.")
