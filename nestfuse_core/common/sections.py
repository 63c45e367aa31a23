"""What every typed configuration and recipe shares: sections that refuse unknown keys, read from YAML."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from nestfuse_core.common.errors import UserError, nearest
from nestfuse_core.common.reading import MOST_BYTES, read_text

MOST_PARTS = 100_000
"""Of a configuration."""
MERGE = "tag:yaml.org,2002:merge"
"""Tag of the key << in YAML."""
MOST_YAML = 1_000_000
"""Bytes of one."""


class Section(BaseModel):
    """Base of all sections: immutable, unknown keys and numbers that are not finite refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def read_yaml(path: Path, what: str = "configuration") -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping with words as keys; tags that would run code are refused.

    Args:
        what: it is, for messages.

    Raises:
        UserError: it is something else, damaged, or larger than any configuration is.
    """
    content = _parsed(path, "YAML", _parse_yaml, MOST_YAML)
    if not isinstance(content, dict):
        raise UserError(f"The {what} '{path}' is empty or not a mapping of keys to values.")
    odd = next((key for key in content if not isinstance(key, str)), None)
    if odd is not None:
        raise UserError(f"The {what} '{path}' has the key {shown(odd)}; expected words as keys.")
    if not _is_small(content):
        raise UserError(f"The {what} '{path}' has more than {MOST_PARTS} parts; none is so long.")
    return content


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        UserError: it cannot be parsed.
    """
    return _parsed(path, "JSON", json.loads)


def _parsed(path: Path, language: str, parse: Callable[[str], Any], most: int = MOST_BYTES) -> Any:
    try:
        return parse(read_text(path, most=most))
    except UserError:
        raise
    except RecursionError:
        raise UserError(f"The file '{path}' is nested too deep to be read as {language}.") from None
    # ValueError: other encodings, dates and numbers that are none, and what JSON's parser raises.
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise UserError(f"The file '{path}' is not valid {language}: {' '.join(str(error).split())[:300]}.") from error


class _Loader(yaml.SafeLoader):
    """PyYAML's, which otherwise lets the last of two equal keys win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag != MERGE):
            if (key.tag, key.value) in seen:
                raise yaml.constructor.ConstructorError(problem=f"'{key.value}' twice", problem_mark=key.start_mark)
            seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def _parse_yaml(text: str) -> Any:
    try:
        return yaml.load(text, _Loader)
    # How PyYAML ends on !!bool, !!int, !!timestamp or !!set before something else.
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise yaml.YAMLError(f"a value is not what its tag says: {error!r}") from error


def _is_small(content: Any) -> bool:
    """Whether the parts of nested containers, each counted wherever an alias repeats it, are not too many."""
    waiting, count = [content], 0
    while waiting:
        part = waiting.pop()
        count += 1
        if count > MOST_PARTS:
            return False
        waiting += part.values() if isinstance(part, dict) else part if isinstance(part, (list, tuple)) else ()
    return True


def shown(value: Any, most: int = 80) -> str:
    """Any value for a message: as Python writes it, cut short."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= most else f"{text[:most]}..."


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
            given = "" if isinstance(first["input"], dict) else f" = {shown(first['input'])}"
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
