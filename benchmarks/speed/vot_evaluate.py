"""Time `vot evaluate` and `rgbt vot evaluate` on one sequence, one worker, in one run, and compare their files.

    python benchmarks/vot_evaluate.py --sequence DIR [--tracker NestFuseNano] [--runs 3]

DIR is a sequence in the VOT layout. Every run is a fresh process, as a user starts it; the commands take turns.
Printed are the median seconds of each (wall clock, and CPU of all its processes, which other load on the machine
disturbs less), the ratios to `vot evaluate`, and whether all result files but the times are equal.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rgbt_tracker.vot.prepare import adopt

REPOSITORY = Path(__file__).resolve().parents[1]
COMMANDS = {
    "vot evaluate": ["vot", "evaluate"],
    "rgbt vot evaluate": ["rgbt_tracker.cli.main", "vot", "evaluate"],
    "rgbt vot evaluate --repeat": ["rgbt_tracker.cli.main", "vot", "evaluate", "--repeat"],
}


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequence", type=Path, required=True)
    parser.add_argument("--tracker", default="NestFuseNano")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder), options.sequence)
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
        files = {}
        for _ in range(options.runs):
            for name, command in COMMANDS.items():
                seconds[name].append(run(command, options.tracker, workspace))
                files[name] = results(workspace)
    report(seconds, files)


def make_workspace(folder: Path, sequence: Path) -> Path:
    """A copy of the repository's workspace with this one sequence."""
    workspace = folder / "vot_workspace"
    shutil.copytree(
        REPOSITORY / "vot_workspace", workspace, ignore=shutil.ignore_patterns("sequences", "results", "cache")
    )
    adopt(workspace / "sequences", sequence.resolve())
    return workspace


def run(command: list[str], tracker: str, workspace: Path) -> tuple[float, float]:
    """Wall and CPU seconds of one evaluation from an empty results folder."""
    shutil.rmtree(workspace / "results", ignore_errors=True)
    arguments = [*command, tracker, "--workspace", str(workspace), "--experiments", "baseline"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    start, used = time.perf_counter(), cpu_seconds()
    done = subprocess.run(
        [sys.executable, "-m", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.perf_counter() - start, cpu_seconds() - used


def cpu_seconds() -> float:
    """CPU time of the processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def results(workspace: Path) -> dict[str, bytes]:
    """Result files by name, without the measured times."""
    files = (path for path in (workspace / "results").rglob("*") if path.is_file())
    return {path.name: path.read_bytes() for path in files if not path.name.endswith("_time.value")}


def report(seconds: dict[str, list[tuple[float, float]]], files: dict[str, dict[str, bytes]]) -> None:
    """Print medians, ratios and the comparison."""
    reference = next(iter(COMMANDS))
    for name, values in seconds.items():
        line = f"{name:<28}"
        for index, unit in enumerate(("s", "s CPU")):
            ratios = [slow[index] / fast[index] for slow, fast in zip(seconds[reference], values, strict=True)]
            median = statistics.median(value[index] for value in values)
            line += f"{median:7.1f} {unit} x {statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f})  "
        print(f"{line}{len(files[name])} files {'equal' if files[name] == files[reference] else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
