"""``rgbt`` itself: its list of commands, its version, and how little it imports."""

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from rgbt_tracker import __version__
from rgbt_tracker.cli.main import COMMANDS, build_app

GROUPS = {
    "bench": ["run", "score", "export"],
    "vot": ["init", "prepare", "check", "evaluate", "score", "table"],
    "weights": ["list", "get", "add", "soup"],
    "data": ["scenes", "draw", "sheet", "crops", "drawn-crops", "masks"],
    "fusion": ["train", "table", "score"],
    "rig": ["align", "sync", "check"],
}


def rgbt(*arguments):
    return CliRunner().invoke(build_app(), list(arguments))


def test_the_list_of_commands():
    shown = rgbt("--help")
    listed = [line.split()[0] for line in shown.output.split("Commands:")[1].splitlines() if line[2:3].strip()]
    assert shown.exit_code == 0 and listed == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_line_begins_its_own_help(name):
    command = typer.main.get_command(build_app()).commands[name]
    assert command.name == name
    assert command.help.startswith(COMMANDS[name].summary.rstrip("."))
    assert list(getattr(command, "commands", {})) == GROUPS.get(name, [])


@pytest.mark.parametrize(("group", "verb"), [(group, verb) for group, verbs in GROUPS.items() for verb in verbs])
def test_every_verb_explains_itself(group, verb):
    shown = rgbt(group, verb, "--help")
    assert shown.exit_code == 0 and f"{group} {verb} [OPTIONS]" in shown.output


def test_version():
    shown = rgbt("--version")
    assert (shown.exit_code, shown.output) == (0, f"rgbt-tracker {__version__}\n")


def test_a_mistyped_command_names_the_nearest():
    refused = rgbt("treck")
    assert refused.exit_code == 2 and "No such command 'treck'. Did you mean 'track'?" in refused.output


@pytest.mark.parametrize("arguments", [["--help"], ["track", "--help"], ["vot", "--help"], ["fusion", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    heavy = ("torch", "cv2", "numpy", "pandas", "matplotlib", "rgbt_tracker.config", "typer.rich_utils")
    code = (
        "import sys\nfrom rgbt_tracker.cli.main import main\n"
        f"sys.argv = ['rgbt', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n"
        f"    print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
