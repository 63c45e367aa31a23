"""What the site says of commands, keys and weights is read from where it is defined, whenever the site is built.

A page asks for it by a line ``<!-- generated: NAME -->``: ``commands``, ``configuration``, ``recipes``, or
``<!-- generated: card FILE -->`` for a model card of the repository.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Union, get_args, get_origin

from griffe import Docstring, DocstringSectionKind
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

ROOT = Path(__file__).resolve().parents[1]
MARKER = re.compile(r"^<!-- generated: (\w+)(?: (\S+))? -->$", re.MULTILINE)
BOUNDS = {"gt": "> {}", "ge": ">= {}", "lt": "< {}", "le": "<= {}", "min_length": "at least {}"}


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Called by mkdocs for every page: replace its markers by what they ask for."""

    def fill(found: re.Match[str]) -> str:
        name, argument = found.groups()
        return card(argument, page.file.src_uri) if name == "card" else GENERATORS[name]()

    return MARKER.sub(fill, markdown)


def commands() -> str:
    """Every command with its options, as typer declares them."""
    import typer

    from rgbt_tracker.cli.main import build_app

    root = typer.main.get_command(build_app())
    return "\n\n".join(_command(root, "rgbt"))


def configuration() -> str:
    """Every key of a tracker's configuration."""
    from rgbt_tracker.config import TrackerConfig

    return "\n\n".join(_section(TrackerConfig, ""))


def recipes() -> str:
    """Every key of a training recipe."""
    from rgbt_tracker.training.recipe import Recipe

    return "\n\n".join(_section(Recipe, ""))


def card(file: str, page: str) -> str:
    """A model card, one level of headings deeper, with its links relative to the page instead of to the card."""
    text = (ROOT / file).read_text(encoding="utf-8")
    up = "../" * (len(PurePosixPath(page).parts) - 1)

    def link(found: re.Match[str]) -> str:
        target = (ROOT / file).parent.joinpath(found[2]).resolve().relative_to(ROOT / "docs")
        return f"{found[1]}{up}{target.as_posix()}"

    text = re.sub(r"(\]\()((?:\.\./)+docs/[^)#]+)", link, text)
    return re.sub(r"^(#+ )", r"#\1", text, flags=re.MULTILINE)


GENERATORS: dict[str, Callable[[], str]] = {"commands": commands, "configuration": configuration, "recipes": recipes}


def _command(command: Any, path: str) -> Iterator[str]:
    """Heading, help, usage and options of a command, then those of its sub-commands."""
    context = command.context_class(command, info_name=path)
    if path != "rgbt":
        yield f"{'#' * len(path.split())} {path}"
        yield _prose(command.help or "")
    if hasattr(command, "list_commands"):
        for name in sorted(command.list_commands(context)):
            child = command.get_command(context, name)
            if not child.hidden:
                yield from _command(child, f"{path} {name}")
        return
    yield f"```text\n{' '.join([path, *command.collect_usage_pieces(context)])}\n```"
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    rows = [(name.replace(" range>", ">"), meaning) for name, meaning in filter(None, records) if name != "--help"]
    yield _table(("option", "meaning"), [(f"`{name}`", _cell(meaning)) for name, meaning in rows])


def _section(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Heading, description and keys of a section, then those of the sections in it."""
    text, described = _docstring(model)
    yield f"## {prefix or 'Top level'}" + (f" {{#{_anchor(prefix)}}}" if prefix else "")
    yield text
    inner: list[tuple[type[BaseModel], str]] = []
    rows = []
    for name, field in model.model_fields.items():
        section = _model_in(field.annotation)
        dotted = f"{prefix}.{name}" if prefix else name
        if section is not None:
            inner.append((section, dotted))
            rows.append(
                (f"`{name}`", f"[{dotted}](#{_anchor(dotted)})", _default(field, section), described.get(name, ""))
            )
        else:
            bounds = [BOUNDS[key].format(value) for key, value in _bounds(field)]
            values = ", ".join([_values(field.annotation), *bounds])
            rows.append((f"`{name}`", values, _default(field, None), described.get(name, "")))
    columns = ("key", "values", "default", "meaning") if described else ("key", "values", "default")
    yield _table(columns, [row[: len(columns)] for row in rows])
    for section, dotted in inner:
        yield from _section(section, dotted)


def _docstring(model: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """The text of a class's docstring, and what its ``Attributes`` say of each key."""
    text, described = [], {}
    for part in Docstring(inspect.getdoc(model) or "").parse("google", warn_missing_types=False):
        if part.kind is DocstringSectionKind.attributes:
            for item in part.value:
                described.update(dict.fromkeys(item.name.split(", "), _cell(item.description)))
        else:
            text.append(_prose(str(part.value)))
    return "\n\n".join(text), described


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a key holds: itself, an optional one, or a list of them."""
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _values(annotation: Any) -> str:
    """What may stand for a key, in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " \\| ".join(f"`{choice}`" for choice in inner)
    if origin is tuple:
        if len(inner) == 2 and inner[1] is Ellipsis:
            return f"list of {_values(inner[0])}"
        return f"{len(inner)} x {_values(inner[0])}"
    if origin is Union or "UnionType" in type(annotation).__name__:
        return " \\| ".join("none" if part is type(None) else _values(part) for part in inner)
    return {"bool": "true \\| false", "Path": "path", "str": "text"}.get(annotation.__name__, annotation.__name__)


def _bounds(field: Any) -> Iterator[tuple[str, Any]]:
    for constraint in field.metadata:
        for key in BOUNDS:
            if getattr(constraint, key, None) is not None:
                yield key, getattr(constraint, key)


def _default(field: Any, section: type[BaseModel] | None) -> str:
    if field.is_required():
        return "**required**"
    value = field.default
    if value is None or value == ():
        return "none"
    if value is PydanticUndefined or section is not None:
        return "see there"
    if isinstance(value, tuple):
        return f"`[{', '.join(str(part) for part in value)}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _anchor(dotted: str) -> str:
    return dotted.replace(".", "-").replace("_", "-")


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else ""


def _prose(text: str) -> str:
    """A docstring as Markdown: double backticks become single ones, and < begins no tag."""
    return text.replace("``", "`").replace("\b", "").replace("<", "&lt;").strip()


def _cell(text: str | None) -> str:
    return " ".join(_prose(text or "").split()).replace("|", "\\|")
