"""``rgbt vot init`` and the workspace that comes with the repository."""

import shutil
from pathlib import Path

import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.vot.init import write_workspace

REPOSITORY = Path(__file__).resolve().parents[3]


def test_the_repositorys_workspace_is_what_init_writes(tmp_path):
    written = write_workspace(tmp_path / "new" / "workspace")
    names = {path.relative_to(tmp_path / "new" / "workspace") for path in written}
    assert {Path("trackers.ini"), Path("stack.yaml"), Path("vot2020/config.yaml"), Path(".gitignore")} < names
    for name in names:
        made, kept = tmp_path / "new" / "workspace" / name, REPOSITORY / "vot_workspace" / name
        assert made.read_bytes() == kept.read_bytes(), f"rgbt vot init would write another {name}"
    kept = {path for pattern in ("*.md", "*.ini", "*.yaml") for path in (REPOSITORY / "vot_workspace").glob(pattern)}
    assert {path.name for path in kept} == {name.name for name in names if len(name.parts) == 1} - {".gitignore"}


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "vot2020").mkdir()
    (tmp_path / "vot2020" / "stack.yaml").write_text("mine")
    with pytest.raises(UserError, match=r"stack\.yaml' is there already"):
        write_workspace(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "vot2020" / "stack.yaml"]
    assert (tmp_path / "vot2020" / "stack.yaml").read_text() == "mine"


def test_the_toolkit_loads_it(tmp_path, drawn):
    """Also in a folder of another name, far from the repository."""
    pytest.importorskip("vot", reason="needs vot-toolkit: pip install -e '.[vot]'")
    from vot.workspace import Workspace

    write_workspace(tmp_path / "elsewhere")
    shutil.copytree(drawn, tmp_path / "elsewhere" / "sequences")
    for place in (tmp_path / "elsewhere", tmp_path / "elsewhere" / "vot2020"):
        space = Workspace.load(str(place))
        assert {"NestFuseSiamRPN", "NestFuseNano"} <= set(space.registry.identifiers())
        assert "baseline" in space.stack.experiments
