"""Loading a workspace of vot-toolkit, and what its ``trackers.ini`` says of our trackers."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import require
from rgbt_tracker.vot.adapter import options_from
from rgbt_tracker.vot.session import TrackerOptions
from rgbt_tracker.vot.workspace_files import check_workspace

ADAPTER = "rgbt_tracker.vot.adapter"
TOOLKIT = ("trax", "vot.region")


def load_workspace(directory: str | Path) -> Any:
    """Load a vot workspace.

    Raises:
        UserError: not a workspace, one without sequences, or what `check_workspace` refuses.
    """
    require("vot", *TOOLKIT)
    root = Path(directory)
    check_workspace(root)
    from vot.workspace import Workspace

    try:
        return Workspace.load(str(root))
    except Exception as error:  # the toolkit ends in errors of any kind over values that it did not expect
        kind = "" if str(error) else f" ({type(error).__name__})"
        raise UserError(f"The toolkit cannot load the workspace '{root}'{kind}: {error}.") from error


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
        call = _main_call(command)
        arguments = {word.arg or "**": ast.literal_eval(word.value) for word in call.keywords}
    # ValueError: something else than the call, or arguments that are no plain values.
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise refusal from error
    if ADAPTER not in command:
        raise refusal
    return options_from(arguments)


def _main_call(command: str) -> ast.Call:
    """The call of ``main`` in ``from ... import main; main(...)``; ValueError if the command does anything else."""
    lines = ast.parse(command).body
    call = lines[-1].value if lines and isinstance(lines[-1], ast.Expr) else None
    if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != "main":
        raise ValueError(command)
    if not all(isinstance(line, (ast.Import, ast.ImportFrom)) for line in lines[:-1]):
        raise ValueError(command)
    return call
