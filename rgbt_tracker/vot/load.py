"""Loading a workspace of vot-toolkit, and what its ``trackers.ini`` says of our trackers."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import require
from rgbt_tracker.vot.adapter import options_from
from rgbt_tracker.vot.session import TrackerOptions

ADAPTER = "rgbt_tracker.vot.adapter"
TOOLKIT = ("trax", "vot.region")


def load_workspace(directory: str | Path) -> Any:
    """Load a vot workspace.

    Raises:
        UserError: not a workspace, or one without sequences.
    """
    require("vot", *TOOLKIT)
    from vot import ToolkitException
    from vot.workspace import Workspace

    root = Path(directory)
    if not (root / "config.yaml").is_file():
        raise UserError(f"Expected a workspace with a config.yaml in '{root}', found none; see --workspace.")
    sequences = root / _setting(root, "sequences", "sequences")
    if not (sequences / "list.txt").is_file():
        raise UserError(f"There are no sequences in '{sequences}' (no list.txt); type 'rgbt vot prepare' first.")
    try:
        return Workspace.load(str(root))
    except (ToolkitException, ImportError, AssertionError) as error:
        raise UserError(f"The toolkit cannot load the workspace '{root}': {error}.") from error


def _setting(root: Path, key: str, default: str) -> str:
    import yaml

    content = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8")) or {}
    return str(content.get(key, default))


def tracker_options(tracker: Any) -> TrackerOptions:
    """The arguments of the adapter in a registry row's command.

    Raises:
        UserError: the row does not use our adapter.
    """
    refusal = UserError(
        f"The tracker '{tracker.identifier}' in '{tracker.source}' does not run on {ADAPTER}; use 'vot evaluate'."
    )
    command = str(tracker.describe()["command"])
    try:
        tree = ast.parse(command)
    except SyntaxError as error:
        raise refusal from error
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "main"]
    if ADAPTER not in command or len(calls) != 1:
        raise refusal
    return options_from({word.arg or "**": ast.literal_eval(word.value) for word in calls[0].keywords})
