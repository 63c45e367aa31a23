"""Every command that the documentation shows exists, with the options it is shown with, and every import works."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from rgbt_tracker.cli.main import build_app

ROOT = Path(__file__).resolve().parents[2]
# The changelog names what commands were called before.
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/weights/*.md")]
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
INLINE = re.compile(r"`((?:rgbt|make|python benchmarks/)[^`]*)`")
ALIASES = {"track.py": ["rgbt", "track"], "fuse_images.py": ["rgbt", "fuse"]}


IMPORT = re.compile(r"^from ([\w.]+) import (.+)$", re.MULTILINE)


def shown(page: Path) -> Iterator[str]:
    """The commands of a page, one a line; continued lines are joined."""
    text = page.read_text(encoding="utf-8")
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            yield from (part.strip() for part in line.split("&&"))
    yield from (" ".join(command.split()) for command in INLINE.findall(BLOCK.sub("", text)))


COMMANDS = sorted({command for page in PAGES for command in shown(page) if command})


@pytest.mark.parametrize(
    "command", [line for line in COMMANDS if line.startswith(("rgbt ", "python track", "python fuse"))]
)
def test_commands_and_options_exist(command: str) -> None:
    words = shlex.split(command, comments=True)
    if words[0] == "python":
        words = [*ALIASES[words[1]], *words[2:]]
    node: Any = typer.main.get_command(build_app())
    context = node.context_class(node, info_name="rgbt")
    for position, word in enumerate(words[1:], 1):
        if not hasattr(node, "list_commands") or not re.fullmatch(r"[a-z][\w-]*", word):
            break
        node = node.get_command(context, word)
        assert node is not None, f"{' '.join(words[: position + 1])} is no command"
    known = {name for parameter in node.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("command", [line for line in COMMANDS if "benchmarks/" in line.partition("#")[0]])
def test_scripts_and_options_exist(command: str) -> None:
    words = shlex.split(command, comments=True)
    script = ROOT / next(word for word in words if word.startswith("benchmarks/"))
    assert script.is_file()
    source = script.read_text(encoding="utf-8")
    assert [word for word in words if word.startswith("--") and f'"{word}"' not in source] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_imports_work(page: Path) -> None:
    for module, names in IMPORT.findall("".join(PYTHON.findall(page.read_text(encoding="utf-8")))):
        home = importlib.import_module(module)
        assert [name for name in names.split(", ") if not hasattr(home, name)] == []


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make ")])
def test_targets_exist(command: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{shlex.split(command, comments=True)[1]}:", makefile, flags=re.MULTILINE)
