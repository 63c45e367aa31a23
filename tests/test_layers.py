"""Folders drawn with their imports: no circle, nestfuse_core by itself, and one module for what is done once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("nestfuse_core", "rgbt_tracker")


def files() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in files()}


def imported(path: Path) -> Iterator[str]:
    """Modules of ours that a module imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield from [whole] if whole in MODULES else [node.module] if node.module in MODULES else []


def folder(module: str) -> str:
    """The room a module is in: "rgbt_tracker.sequences"; a module beside the rooms is one of its own."""
    return ".".join(module.split(".")[:2])


def test_no_folder_imports_one_above_it():
    graph: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        graph.setdefault(folder(name), set()).update({folder(other) for other in imported(path)} - {folder(name)})
    assert "nestfuse_core.common" in graph["rgbt_tracker.sequences"]
    TopologicalSorter(graph).prepare()  # raises CycleError with the folders


def test_fusion_does_not_know_the_tracker():
    for name, path in MODULES.items():
        if name.startswith("nestfuse_core"):
            assert not [other for other in imported(path) if other.startswith("rgbt_tracker")], name


@pytest.mark.parametrize(
    ("what", "home"),
    [
        (r"\bim(read|decode|write|encode)\(", "nestfuse_core.common.pictures"),
        (r"\bclass Traj|\bclass Track\b", "rgbt_tracker.results.trajectory"),
        (r"\bSEPARATORS\.split\(", "rgbt_tracker.box_files"),
        (r"\bav\.open\((?!address, timeout=\(OPENING)", "nestfuse_core.common.video"),
        (r"\bav\.open\(address, timeout=\(OPENING", "nestfuse_core.common.video_stream"),
        (r"\bmk[sd]temp\(|TemporaryDirectory\(", "nestfuse_core.common.files"),
        (r"\.expanduser\(", "nestfuse_core.common.files"),
        (r"\btarfile\.open\(|\bextractall\(", "nestfuse_core.common.archives"),
        (r"\bnp\.load\([^)]*\) as ", "nestfuse_core.common.arrays"),
        (r"\bProcessPoolExecutor\(", "rgbt_tracker.evaluation.runner"),
        (r"\btorch\.(load|save)\(", "nestfuse_core.common.checkpoints"),
    ],
)
def test_done_in_one_module(what, home):
    found = {name for name, path in MODULES.items() if re.search(what, path.read_text(encoding="utf-8"))}
    assert found == {home}


def entry_points() -> list[Path]:
    """Files that can be run: they have code under ``if __name__ == "__main__"``."""
    places = [*ROOT.glob("*.py"), *(path for name in (*PACKAGES, "benchmarks") for path in (ROOT / name).rglob("*.py"))]
    return [path for path in sorted(places) if "__main__" in path.read_text(encoding="utf-8")]


def calls(body: list[ast.stmt]) -> list[str]:
    """The functions that a body calls in statements of their own, as far as these are all it has."""
    words = [item for item in body if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))]
    if not all(isinstance(item, ast.Expr) and isinstance(item.value, ast.Call) for item in words):
        return []
    return [ast.unparse(item.value.func) for item in words]


@pytest.mark.parametrize("path", entry_points(), ids=lambda path: path.name)
def test_every_entry_point_stands_behind_the_guard(path):
    """`nestfuse_core.common.guard.run` is all that it does, or that the function does which it calls."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test))
    functions = {node.name: node.body for node in tree.body if isinstance(node, ast.FunctionDef)}
    found = calls(block.body)
    assert len(found) == 1
    # The adapter only says there what starts it.
    assert found[0] in ("run", "sys.exit") or calls(functions[found[0]]) == ["run"]
    if found[0] != "sys.exit":
        assert "from nestfuse_core.common.guard import run" in path.read_text(encoding="utf-8")


def test_installed_commands_stand_behind_the_guard():
    from importlib import import_module

    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    scripts = re.findall(r'^\w+ = "([\w.]+):(\w+)"$', text.partition("[project.scripts]")[2].partition("\n[")[0], re.M)
    assert scripts
    for module, function in scripts:
        source = ast.parse(Path(str(import_module(module).__file__)).read_text(encoding="utf-8"))
        (body,) = (node.body for node in source.body if isinstance(node, ast.FunctionDef) and node.name == function)
        assert calls(body) == ["run"]
