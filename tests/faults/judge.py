"""What a program does with hostile input, judged: refused in one sentence, or one of the ways to fail."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nestfuse_core.common.guard import REFUSED, run

REFUSALS = "refused"
WRONG = ("foreign code", "wrote outside", "traceback", "mistake of the program", "silent success", "not named")


@dataclass(frozen=True)
class Case:
    """A hostile input: ``make`` writes it below the folder that it is given and returns what to run.

    Attributes:
        named: what the sentence must hold; the name of the file by default, nothing where it is empty.
    """

    name: str
    make: Callable[[Path], Callable[[], None]]
    named: str = ""


def command(*arguments: str | os.PathLike[str]) -> Callable[[], None]:
    """A command line of ``rgbt``, in this process."""
    return lambda: run("rgbt_tracker.cli.main:build_app", [os.fspath(word) for word in arguments])


def guarded(work: Callable[[], object]) -> Callable[[], None]:
    """A function behind the guard."""
    return lambda: run(lambda args: work(), [])


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder."""
    before = Path.cwd()
    folder.mkdir(parents=True)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def judge(case: Case, place: Path) -> tuple[str, str]:
    """Run a case in an empty folder ``place``; return the verdict and what was said."""
    said = io.StringIO()
    code: object = 0
    with inside(place / "inside"):
        work = case.make(Path.cwd())
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                work()
            except SystemExit as end:
                code = end.code
            except BaseException as error:
                return "traceback", repr(error)
    text = said.getvalue()
    if (place / "inside" / "MARK").exists() or (place / "MARK").exists():
        return "foreign code", text
    if [path.name for path in place.iterdir()] != ["inside"]:
        return "wrote outside", text
    if "Traceback" in text:
        return "traceback", text
    if code == REFUSED:
        return (REFUSALS if case.named in " ".join(text.split()) else "not named"), text
    return ("silent success" if code in (0, None) else "mistake of the program"), text
