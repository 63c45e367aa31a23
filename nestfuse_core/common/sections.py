"""What every typed configuration and recipe shares: sections that refuse unknown keys, read from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from nestfuse_core.common.errors import UserError, nearest


class Section(BaseModel):
    """Base of all sections: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_yaml(path: Path, what: str = "configuration") -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping; ``what`` it is, for messages."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"The {what} '{path}' is not valid YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(content, dict):
        raise UserError(f"The {what} '{path}' is empty or not a mapping of keys to values.")
    return content


def validated(kind: Any, content: dict[str, Any], source: str) -> Any:
    """Return ``kind(**content)`` for a pydantic model, with the first problem as one sentence.

    Raises:
        UserError: an unknown key (with the nearest valid one) or a bad value.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = list(_section(kind, first["loc"][:-1]).model_fields)
            hint = nearest(str(first["loc"][-1]), known)
            message = f"{source}: unknown key '{where}'{hint or '; expected one of ' + ', '.join(known)}"
        elif first["type"] == "missing":
            message = f"{source}: '{where}' is missing; copy it from one of our files that is like yours"
        else:
            given = "" if isinstance(first["input"], dict) else f" = {first['input']!r}"
            reason = first["msg"].removeprefix("Value error, ")
            message = f"{source}: '{where}'{given}: {reason}{_choice_hint(first)}"
        raise UserError(message if message.endswith("?") else f"{message}.") from error


def _choice_hint(problem: Any) -> str:
    """The nearest of a literal's choices, which pydantic lists as "'a', 'b' or 'c'"."""
    expected = str(problem.get("ctx", {}).get("expected", ""))
    return nearest(str(problem["input"]), expected.split("'")[1::2]) if problem["type"] == "literal_error" else ""


def _section(kind: Any, location: tuple[Any, ...]) -> Any:
    """The model class that a path of field names leads to (optional and nested sections included)."""
    for name in location:
        annotation = kind.model_fields[name].annotation if name in kind.model_fields else None
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        kind = next((part for part in candidates if isinstance(part, type) and issubclass(part, BaseModel)), kind)
    return kind
