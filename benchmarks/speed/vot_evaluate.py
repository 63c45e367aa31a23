"""Time `vot evaluate` and `rgbt vot evaluate` on one sequence, one worker, in one run, and compare their files.

    python benchmarks/speed/vot_evaluate.py --sequence DIR [--tracker NestFuseNano] [--workspace DIR] [--runs 3]

DIR is a sequence in the VOT layout; the workspace holds the tracker, by default it is what `rgbt vot init` writes.
Every run is a fresh process, as a user starts it; the commands take turns. Printed are the median seconds of each (wall
clock, and CPU of all its processes, which other load on the machine disturbs less), the ratios to `vot evaluate`, and
whether all result files but the times are equal.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from timing import Seconds, command_line, in_turn, median, ratios

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run
from rgbt_tracker.vot.init import write_workspace
from rgbt_tracker.vot.prepare import adopt

REPOSITORY = Path(__file__).resolve().parents[2]
COMMANDS = {
    "vot evaluate": ["vot", "evaluate"],
    "rgbt vot evaluate": ["rgbt_tracker.cli.main", "vot", "evaluate"],
    "rgbt vot evaluate --repeat": ["rgbt_tracker.cli.main", "vot", "evaluate", "--repeat"],
}


def main(args: list[str] | None = None) -> None:
    """Run the comparison.

    Raises:
        UserError: a sequence of no use, or an evaluation that failed.
    """
    parser = command_line(__doc__)
    parser.add_argument("--sequence", type=Path, required=True)
    parser.add_argument("--tracker", default="NestFuseNano")
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(args)
    files: dict[str, dict[str, bytes]] = {}
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder), options.workspace, options.sequence)
        works = {name: partial(evaluate, name, options.tracker, workspace, files) for name in COMMANDS}
        report(in_turn(works, options.runs, warm_up=False, used=used_by_children), files)


def make_workspace(folder: Path, given: Path | None, sequence: Path) -> Path:
    """A workspace in ``folder`` with this one sequence."""
    workspace = folder / "workspace"
    if given is None:
        write_workspace(workspace)
    elif (given / "config.yaml").is_file():
        shutil.copytree(given, workspace, ignore=shutil.ignore_patterns("sequences", "results", "cache"))
    else:
        raise UserError(f"Expected a workspace with a config.yaml in '{given}', found none; see 'rgbt vot init'.")
    adopt(workspace / "sequences", sequence.resolve())
    return workspace


def evaluate(name: str, tracker: str, workspace: Path, files: dict[str, dict[str, bytes]]) -> None:
    """Run one of `COMMANDS` from an empty results folder, and keep its files."""
    shutil.rmtree(workspace / "results", ignore_errors=True)
    arguments = [*COMMANDS[name], tracker, "--workspace", str(workspace), "--experiments", "baseline"]
    paths = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-m", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise UserError(f"'{name}' failed: {lines[-1] if lines else 'it said nothing'}")
    files[name] = results(workspace)


def used_by_children() -> float:
    """CPU seconds of the processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def results(workspace: Path) -> dict[str, bytes]:
    """Result files by name, without the measured times."""
    files = (path for path in (workspace / "results").rglob("*") if path.is_file())
    return {path.name: path.read_bytes() for path in files if not path.name.endswith("_time.value")}


def report(times: dict[str, list[Seconds]], files: dict[str, dict[str, bytes]]) -> None:
    """Print medians, ratios and the comparison."""
    reference = next(iter(COMMANDS))
    for name, seconds in times.items():
        line = f"{name:<28}"
        for index, unit in enumerate(("s", "s CPU")):
            ratio = ratios([one[index] for one in times[reference]], [one[index] for one in seconds])
            line += f"{median(seconds)[index]:7.1f} {unit} x {ratio}  "
        print(f"{line}{len(files[name])} files {'equal' if files[name] == files[reference] else 'DIFFERENT'}")


if __name__ == "__main__":
    run(main)
