"""What is printed is text: no name of a file or sequence is a command to the terminal."""

import pytest
from rich.table import Table
from rich.text import Text

from nestfuse_core.common.console import Terminal, progress

NAME = "a\x1b]52;c;bHM=\x07b\u202ec:rocket:[red]d"


def table() -> Table:
    found = Table()
    found.add_column(Text(NAME))
    found.add_row(Text(NAME))
    return found


@pytest.mark.parametrize("made", [lambda: NAME, lambda: Text(NAME), table], ids=["str", "Text", "Table"])
def test_names_are_no_commands_to_the_terminal(made, capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().print(made(), markup=False, highlight=False)
    said = capsys.readouterr().out
    assert "\x1b" not in said and "\u202e" not in said
    assert "a?]52;c;bHM=" in said and "?c:rocket:[red" in said


def test_lines_stay_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().print("a\nb")
    assert capsys.readouterr().out == "a\nb\n"


def test_progress_is_shown_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as shown:
        shown.add_task("a\x1b[2Jb", total=1, completed=1, note="")
    assert "a?[2J" in capsys.readouterr().err
