"""requirements/edge.txt repeats pyproject.toml's ranges, since pip cannot install a package without one dependency."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_edge_installs_what_the_package_needs_but_torch() -> None:
    tomllib = pytest.importorskip("tomllib")  # from Python 3.11 on
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    due = {*project["dependencies"], *extras["report"], *extras["demo"]}
    lines = (ROOT / "requirements" / "edge.txt").read_text().splitlines()
    listed = {line for line in lines if line and not line.startswith("#")}
    assert listed == {line for line in due if not line.startswith("torch>")}
