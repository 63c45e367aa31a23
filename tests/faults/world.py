"""What the world does to a command, in a table: full disks, files in the way, folders that are gone, closed pipes.

    python tests/faults/world.py [--command track] [--trouble "full disk"]

Every command that writes is run under every trouble, in a process of its own. It is to end in one sentence with exit
code 2 (130 after Ctrl-C, and as always where the trouble does not stop it), and never in a traceback.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kills import PROGRAM, Command, commands

from nestfuse_core.common.files import UNFINISHED
from nestfuse_core.common.guard import run

Words = list[str]


@dataclass(frozen=True)
class Trouble:
    """Something that the world does.

    Attributes:
        make: prepares a folder for the output and returns the output to name.
        codes: exit codes that are right.
        wrap: what is put before the command line, a program of Python's that becomes the command.
        environment: variables.
        interrupt: seconds after the program's first line (before it, Python answers) that Ctrl-C comes; None for never.
    """

    make: Callable[[Path], Path]
    codes: tuple[int, ...] = (2,)
    wrap: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    interrupt: float | None = None


def _empty(place: Path) -> Path:
    return place / "out"


def _file(place: Path) -> Path:
    (place / "out").write_text("in the way")
    return place / "out"


def _below_file(place: Path) -> Path:
    (place / "file").write_text("in the way")
    return place / "file" / "out"


def _no_place(_: Path) -> Path:
    return Path("/proc/rgbt-out")  # where not even root may make a folder


BECOME = "os.execv(sys.argv[1], sys.argv[1:])"
LIMITED = f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (%d,) * 2); {BECOME}"
GONE = f"import os, sys, tempfile; os.chdir(tempfile.mkdtemp()); os.rmdir(os.getcwd()); {BECOME}"
ASCII = (("LC_ALL", "C"), ("PYTHONUTF8", "0"), ("PYTHONIOENCODING", "ascii"))
TROUBLES = {
    # A process that may write no file of more bytes is to the command what a full disk is.
    "full disk": Trouble(_empty, wrap=LIMITED % 60),
    "nearly full disk": Trouble(_empty, (0, 2), LIMITED % 4000),
    "the output is a file": Trouble(_file),
    "a file above the output": Trouble(_below_file),
    "nowhere to write": Trouble(_no_place),
    "no such user": Trouble(lambda place: Path("~nosuchuser/out"), (0, 2)),
    "working folder gone": Trouble(_empty, (0, 2), GONE),
    "ASCII terminal": Trouble(
        _empty, (0,), environment=(("LC_ALL", "C"), ("PYTHONUTF8", "0"), ("PYTHONIOENCODING", "ascii"))
    ),
    "Ctrl-C at once": Trouble(_empty, (130,), interrupt=0.0),
    "Ctrl-C in the first second": Trouble(_empty, (130,), interrupt=0.7),
}


def stands(number: int) -> bool:
    """Whether a process has handlers for signals, which are the first that a command of ours makes."""
    lines = Path(f"/proc/{number}/status").read_text(encoding="ascii", errors="replace").splitlines()
    caught = next((line.split()[1] for line in lines if line.startswith("SigCgt")), "0")
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def tried(command: Command, trouble: Trouble, place: Path) -> tuple[int, str]:
    """Run a command under a trouble; return its exit code and what it said."""
    out = trouble.make(place)
    words = [*PROGRAM, *map(os.fspath, command.arguments(out))]
    before = [sys.executable, "-c", trouble.wrap] if trouble.wrap else []
    environment = {**os.environ, **dict(trouble.environment), "RGBT_CACHE": str(out)}
    process = subprocess.Popen(
        [*before, *words], cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if trouble.interrupt is not None:
        while not stands(process.pid):
            time.sleep(0.005)
        time.sleep(trouble.interrupt)
        process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=600)
    code = process.returncode
    # Python ends by the signal itself where Ctrl-C met Python code that a compiled module ran; a shell shows 130, too.
    return 128 - code if code < 0 else code, said.decode("utf-8", "replace")


def verdict(code: int, said: str, trouble: Trouble, place: Path) -> str:
    if "Traceback" in said:
        return "traceback"
    if "mistake of the program" in said:
        return "mistake"
    if any(place.rglob(f"{UNFINISHED}*")):
        return "litter"
    return "ok" if code in trouble.codes else f"code {code}"


def main(args: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", action="append", help="only this one; may be given again")
    parser.add_argument("--trouble", action="append", choices=list(TROUBLES), help="only this one; may be given again")
    options = parser.parse_args(args)
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        known = commands(Path(folder) / "inputs")
        chosen = [name for name in known if name in (options.command or known)]
        print(f"| trouble | {' | '.join(chosen)} |")
        print("|---" * (len(chosen) + 1) + "|")
        for title in options.trouble or TROUBLES:
            cells = []
            for name in chosen:
                place = Path(folder) / "place"
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir()
                code, said = tried(known[name], TROUBLES[title], place)
                cells.append(verdict(code, said, TROUBLES[title], place))
                if cells[-1] != "ok":
                    wrong.append(f"{title}, {name}: {cells[-1]}: {' '.join(said.split())[-400:]}")
            print(f"| {title} | {' | '.join(cells)} |", flush=True)
    print("\n".join(["", *wrong]))


if __name__ == "__main__":
    run(main)
