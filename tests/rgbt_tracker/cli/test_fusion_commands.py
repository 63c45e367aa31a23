"""Image fusion as part of ``rgbt``."""

import pytest
from typer.testing import CliRunner

from rgbt_tracker.cli.main import build_app


@pytest.mark.parametrize("command", [["fuse"], ["fusion", "train"], ["fusion", "table"], ["fusion", "score"]])
def test_every_command_explains_itself(command):
    result = CliRunner().invoke(build_app(), [*command, "--help"])
    assert result.exit_code == 0 and f"rgbt {' '.join(command)}" in result.output.replace("root", "rgbt")
