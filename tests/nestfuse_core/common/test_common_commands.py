"""What both packages' command lines have in common."""

from typing import Annotated

import pytest
import typer

from nestfuse_core.common.commands import application, single
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run
from nestfuse_core.common.options import Device, Json, names, one_of, output_file


def outcome(capsys, command, *arguments):
    with pytest.raises(SystemExit) as end:
        run(single(command), list(arguments))
    captured = capsys.readouterr()
    return end.value.code, captured.out, captured.err


def show(
    colour: Annotated[str | None, typer.Option(callback=one_of("colour", ("red", "green", "blue")))] = None,
    device: Device = "auto",
    json: Json = False,
    output: Annotated[str, output_file("Where to.")] = "here",
) -> None:
    """Show what was asked for."""
    typer.echo(f"{colour} {device} {json} {output}")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "None auto False here"),
        (["--colour", "green", "--device", "cuda:1", "--json", "-o", "there"], "green cuda:1 True there"),
        (["--output", "there"], "None auto False there"),
    ],
)
def test_shared_options(capsys, arguments, text):
    assert outcome(capsys, show, *arguments) == (0, text + "\n", "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--colour", "gren"], "Unknown colour 'gren'; expected red, green or blue; did you mean 'green'?"),
        (["--device", "cuba"], "Unknown device 'cuba'; expected auto, cpu, cuda or cuda:N; did you mean 'cuda'?"),
    ],
)
def test_a_wrong_choice_is_one_sentence(capsys, arguments, sentence):
    code, out, err = outcome(capsys, show, *arguments)
    assert (code, out, err) == (2, "", f"Error: {sentence}\n")


def test_usage_errors_are_plain(capsys):
    code, _, err = outcome(capsys, show, "--colours", "red")
    assert code == 2 and "Error: No such option: --colours" in err and "╭" not in err


@pytest.mark.parametrize(("given", "result"), [("a, b,,c ", ["a", "b", "c"]), ("", []), (None, [])])
def test_names(given, result):
    assert names(given) == result


def test_user_errors_keep_their_brackets(capsys):
    def fail() -> None:
        raise UserError("no folder '[bold]x[/bold]'")

    assert outcome(capsys, fail)[::2] == (2, "Error: no folder '[bold]x[/bold]'\n")


def test_a_group_lists_whole_sentences(capsys):
    group = application()
    sentence = "Do something that takes more words to say than a line of eighty columns has room for beside a name"
    group.command("one")(lambda: None)
    group.command("two", help=f"{sentence}. Then rest.")(lambda: None)
    with pytest.raises(SystemExit):
        run(group, ["--help"])
    assert sentence in " ".join(capsys.readouterr().out.split())
