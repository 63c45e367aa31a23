"""What `rgbt bench run --cluster` does on two machines that get lost, in a table; and what more workers cost.

    python benchmarks/accuracy/two_nodes.py [--sequences 6] [--frames 60] [--measure]

Two nodes in network namespaces, joined by a pair of virtual network cards, are a Ray cluster: the command runs on one
of them. It needs Linux, root and the extra "cluster". All files but the measured times are compared with those of a
run without a cluster. The weights lie where only the first node has them. --measure prints instead the seconds of
1, 2 and 4 workers, on the cluster and without it: by the clock, and of processors.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from nodes import PORT, Node, kill, lay_cable, until

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import require
from nestfuse_core.common.guard import run
from rgbt_tracker.evaluation.cluster import TRACEBACKS

TRACKER = "nestfuse_nanotrack"
BAD = "s0"
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
Files = dict[str, bytes]


@dataclass(frozen=True)
class Ran:
    """What a command did.

    Attributes:
        code: its exit code.
        said: on the terminal.
        files: name -> content of what it left, without times.
        folder: of these.
        clock, processor: seconds that passed, and that all processes of both nodes were busy.
    """

    code: int
    said: str
    files: Files
    folder: Path
    clock: float = 0.0
    processor: float = 0.0

    def complaint(self, expected: Files, code: int = 0) -> str:
        """What is not as it should be, or nothing."""
        if "Traceback" in self.said:
            return "a traceback"
        if self.code != code:
            return f"exit code {self.code}: {' '.join(self.said.split())[-160:]}"
        wrong = sorted(name for name in self.files.keys() | expected if self.files.get(name) != expected.get(name))
        return f"other files: {', '.join(wrong)}" if wrong else ""


class Bench:
    """The two nodes and the command.

    Args:
        place: a folder.
        count, frames: of the drawn sequences.
    """

    def __init__(self, place: Path, count: int, frames: int) -> None:
        from rgbt_tracker.sequences.vot_folder import write_vot
        from rgbt_tracker.synthetic import draw_sequence
        from rgbt_tracker.zoo.entries import shipped

        self.place, self.data, self.weights = place, place / "data", place / "weights"
        for seed in range(count):
            sequence = draw_sequence("street", length=frames, size=(320, 240), seed=seed)
            sequence.info.name = f"s{seed}"
            write_vot(sequence, self.data)
        self.weights.mkdir()
        shutil.copy(shipped()[TRACKER], self.weights / "own.pt")
        self.first = Node("first", "10.77.0.1", place)
        self.second = Node("second", "10.77.0.2", place, hidden=(self.weights,))

    def arguments(self, out: Path, *more: str | Path) -> list[str | Path]:
        words = [sys.executable, "-m", "rgbt_tracker.cli.main", "bench", "run", "plain", "--sequences", self.data]
        own = ["--config", TRACKER, "--weights", self.weights / "own.pt", "--device", "cpu", "--output", out]
        return [*words, *own, *more]

    def go(self, node: Node, name: str, *more: str, meanwhile: Callable[[], None] = lambda: None) -> Ran:
        """Run the command on a node, in a terminal, and let ``meanwhile`` happen."""
        out = self.place / name
        ours, theirs = pty.openpty()
        environment = ["env", "TERM=xterm", "COLUMNS=140"]
        begin, busy = time.monotonic(), self.processor_seconds()
        program = node.begin([*environment, *self.arguments(out, *more)], stdout=theirs, stderr=theirs)
        os.close(theirs)
        os.set_blocking(ours, False)
        said, used = b"", busy
        try:
            meanwhile()
            while program.poll() is None:
                time.sleep(0.3)
                said, used = said + _read(ours), self.processor_seconds()
            said += _read(ours)
        finally:
            program.kill()
            os.close(ours)
        seconds = time.monotonic() - begin, used - busy
        words = COLOURS.sub("", said.decode("utf-8", "replace"))
        return Ran(program.returncode, words, files_of(out), out, *seconds)

    def processor_seconds(self) -> float:
        return self.first.processor_seconds() + self.second.processor_seconds()

    def on_cluster(self, name: str, meanwhile: Callable[[], None] = lambda: None) -> Ran:
        return self.go(self.first, name, "--cluster", "--address", f"{self.first.address}:{PORT}", meanwhile=meanwhile)

    def second_is_busy(self) -> None:
        until(self.second.workers, "the second node to take a job")

    @contextmanager
    def cluster(self, places: tuple[int, int]) -> Iterator[None]:
        """Both nodes, each with room for so many jobs; none with 0."""
        try:
            for node in (self.first, self.second):
                node.boot()
            lay_cable(self.first, self.second)
            if places[0]:
                self.first.join(places[0])
            if places[1]:
                self.second.join(places[1], self.first)
            yield
        finally:
            for node in (self.first, self.second):
                node.kill()

    def restart_second(self) -> None:
        self.second.kill()
        self.second.boot()
        lay_cable(self.first, self.second)
        self.second.join(1, self.first)


def _read(terminal: int) -> bytes:
    said = b""
    with suppress(OSError):  # nothing there, or nobody at the other end
        while more := os.read(terminal, 65536):
            said += more
    return said


def files_of(folder: Path) -> Files:
    """Results by name, without measured times."""
    found = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith("_time.txt")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def cases(bench: Bench) -> Iterator[tuple[str, str]]:
    """What happens -> what is wrong, one after the other."""
    with bench.cluster((0, 0)):
        expected = bench.go(bench.first, "local").files
        ran = bench.on_cluster("none")
        yield "no cluster is running", ran.complaint({}, 2) or sentence(ran, "No Ray cluster answers at")
    with bench.cluster((1, 1)):
        ran = bench.on_cluster("both", bench.second_is_busy)
        shown = all(f" on {node}" in ran.said for node in ("first", "second"))
        yield "both nodes work", ran.complaint(expected)
        yield "the progress bar names both", "" if shown else "it does not"
        hidden, _ = bench.second.run(["test", "-e", bench.weights / "own.pt"])
        yield "weights that the second lacks", ran.complaint(expected) if hidden else "it has them"

        def kill_worker() -> None:
            bench.second_is_busy()
            kill(bench.second.workers()[0])

        ran = bench.on_cluster("worker", kill_worker)
        yield "a worker is killed", ran.complaint(expected)

        def kill_node() -> None:
            bench.second_is_busy()
            bench.second.kill()

        ran = bench.on_cluster("node", kill_node)
        yield "a node is killed", ran.complaint(expected)
        bench.restart_second()
        yield "the node is back", bench.on_cluster("back", bench.second_is_busy).complaint(expected)

        def kill_command() -> None:
            bench.second_is_busy()
            for number, line in bench.first.processes():
                if "rgbt_tracker.cli.main" in line:
                    kill(number)

        bench.on_cluster("killed", kill_command)
        left = [node.name for node in (bench.first, bench.second) if outlives(node)]
        yield "the command is killed: workers end", ", ".join(left)
        yield "the command is killed: again", bench.on_cluster("killed").complaint(expected)
        yield from fails(bench, expected)


def fails(bench: Bench, expected: Files) -> Iterator[tuple[str, str]]:
    """A sequence with a picture that cannot be read."""
    picture = sorted((bench.data / BAD / "color").iterdir())[5]
    whole = picture.read_bytes()
    picture.write_bytes(whole[:50])
    ran = bench.on_cluster("fails")
    log = next(iter(ran.folder.rglob(TRACEBACKS)), None)
    told = "" if log is None else log.read_text()
    neighbours = {name: content for name, content in expected.items() if not Path(name).stem.startswith(BAD)}
    kept = {name: content for name, content in ran.files.items() if Path(name).name != TRACEBACKS}
    words = f"1 jobs failed on the cluster, the others are done; the first, {BAD}: "
    yield "a sequence fails: its neighbours stay", replace(ran, files=kept).complaint(neighbours, 2)
    yield "a sequence fails: one sentence", sentence(ran, words)
    traced = "in run" in told and picture.name in told
    yield "a sequence fails: its traceback is in the log", "" if traced else "it is not"
    picture.write_bytes(whole)
    yield "a sequence fails: mended, again", bench.on_cluster("fails").complaint(expected)


def sentence(ran: Ran, words: str) -> str:
    said = " ".join(ran.said.split())
    return "" if f"Error: {words}" in said else f"it says '{said[-160:]}'"


def outlives(node: Node, seconds: float = 10) -> bool:
    """Whether workers are there so long after the command has ended."""
    with suppress(UserError):
        until(lambda: not node.workers(busy=False), "workers to end", seconds)
    return bool(node.workers(busy=False))


def measure(bench: Bench) -> Iterator[tuple[str, ...]]:
    """Workers -> seconds by the clock and of processors, without a cluster and with one.

    Raises:
        UserError: a run failed, or its files are others.
    """
    expected: Files = {}
    for first, second in ((1, 0), (1, 1), (2, 2)):
        cells = [str(first + second)]
        for clustered in (False, True):
            name = f"{first + second}-{'cluster' if clustered else 'local'}"
            with bench.cluster((first, second) if clustered else (0, 0)):
                ran = bench.on_cluster(name) if clustered else bench.go(bench.first, name, "--workers", cells[0])
            expected = expected or ran.files
            if wrong := ran.complaint(expected):
                raise UserError(f"The run '{name}' went wrong: {wrong}.")
            cells += [f"{ran.clock:.1f}", f"{ran.processor:.1f}"]
        yield tuple(cells)


def main(args: list[str] | None = None) -> None:
    """Print the table.

    Raises:
        UserError: this machine makes no namespaces, or Ray does not start.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=6)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--measure", action="store_true")
    options = parser.parse_args(args)
    require("cluster", "ray")
    heads: tuple[str, ...] = ("what happens", "what is wrong")
    if options.measure:
        heads = ("workers", "s", "processor s", "s on the cluster", "processor s on the cluster")
    print("|", " | ".join(heads), "|\n|" + "---|" * len(heads), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.sequences, options.frames)
        for row in measure(bench) if options.measure else cases(bench):
            print("|", " | ".join(cell or "nothing" for cell in row), "|", flush=True)


if __name__ == "__main__":
    run(main)
