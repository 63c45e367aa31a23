"""What only some commands need: the package's extras, and the one sentence that says which of them to install."""

from __future__ import annotations

from importlib import import_module

from nestfuse_core.common.errors import UserError

DISTRIBUTION = "rgbt-tracker"
REMARKS = {"vot": "vot-trax exists for Linux on x86-64 and for Windows only"}


def install_command(extra: str) -> str:
    """What to type for an extra."""
    return f'pip install "{DISTRIBUTION}[{extra}]"'


def require(extra: str, *modules: str) -> None:
    """Import ``modules``, which come with ``extra``; call it before anything that imports them at its top.

    Args:
        extra: a name below ``[project.optional-dependencies]`` of pyproject.toml.
        modules: import names, such as ``"jinja2"`` or ``"vot.region"``.

    Raises:
        UserError: one of them is not there or cannot be imported, with the command that installs the extra.
    """
    for module in modules:
        try:
            import_module(module)
        # TypeError: vot-toolkit with a newer attributee; OSError: a compiled module without its library.
        except (ImportError, OSError, TypeError) as error:
            missing = isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]
            state = "is not installed" if missing else f"cannot be imported ({error})"
            remark = f"; {REMARKS[extra]}" if extra in REMARKS else ""
            raise UserError(f"This needs '{module}', which {state}: type {install_command(extra)}{remark}.") from error
