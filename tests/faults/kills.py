"""What a kill leaves, in a table.

    python tests/faults/kills.py [--kills 50] [--command track --command bench] [--seed 0]

Each command runs once to its end; that is the reference. Then it is killed (SIGKILL to the process alone, so that
its workers have to notice) at a random moment of that time, and run again. Counted are, over all kills: files that the
kill left and that are not those of the reference (half-written), files that the second run lacks or has otherwise
(lost), temporary files that are there after it (litter), and processes that live 10 s after the kill (orphans).
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import UNFINISHED
from nestfuse_core.common.guard import run

PROGRAM = (sys.executable, "-m", "rgbt_tracker.cli.main")
MARK = "RGBT_KILL_TEST"
"""Variable by which the processes of a run are known."""
GRACE = 10.0


@dataclass(frozen=True)
class Command:
    """A command that writes.

    Attributes:
        arguments: of a folder to write into.
        compared: patterns of its files that are the same in every run; measured times are not.
    """

    arguments: Callable[[Path], list[str | Path]]
    compared: tuple[str, ...]


@dataclass
class Counts:
    kills: int = 0
    early: int = 0
    half_written: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    litter: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)


def commands(place: Path) -> dict[str, Command]:
    """The commands, on small sequences that are drawn below ``place``."""
    from nestfuse_core.common.pictures import write_image
    from rgbt_tracker.sequences.vot_folder import write_vot
    from rgbt_tracker.synthetic import draw_sequence
    from rgbt_tracker.zoo.entries import shipped

    data = place / "data"
    for seed, name in enumerate("abcd"):
        sequence = draw_sequence("street", length=8, size=(128, 96), seed=seed)
        sequence.info.name = name
        write_vot(sequence, data)
        if name == "a":
            for frame in sequence:
                for camera in ("rgb", "ir"):
                    write_image(place / "pairs" / camera / f"{frame.index}.png", frame.picture(camera))  # type: ignore[arg-type]
    tracker = ("--config", "nestfuse_nanotrack", "--device", "cpu")
    pairs, recipe = place / "pairs", written_recipe(place)
    return {
        "track": Command(
            lambda out: ["track", "--sequence", data / "a", *tracker, "--output", out], ("a.txt", "a_scores.txt")
        ),
        "bench run": Command(
            lambda out: ["bench", "run", "plain", "--sequences", data, *tracker, "--output", out, "--workers", "2"],
            ("**/?.txt", "**/*_scores.txt", "**/settings.json"),
        ),
        "fuse": Command(
            lambda out: ["fuse", "--ir", pairs / "ir", "--vis", pairs / "rgb", "--output", out, "--device", "cpu"],
            ("*.png",),
        ),
        "weights add": Command(
            lambda out: ["weights", "add", "own", shipped()["nestfuse_nanotrack"]], ("weights/own.pth",)
        ),
        "vot prepare": Command(
            lambda out: ["vot", "prepare", "--from", data, "--copy", "--workspace", out], ("sequences/**/*.*",)
        ),
        "train": Command(
            lambda out: ["train", recipe, "--output", out, *["--resume"] * (out / "last.pt").is_file()],
            ("weights_*.pt",),
        ),
        # One trial: a further one is drawn anew after a kill, and is another.
        "tune": Command(
            lambda out: ["tune", *tracker, "--sequences", data, *("--trials", "1", "--memory", "0"), "--output", out],
            ("report.json",),
        ),
    }


def written_recipe(place: Path) -> Path:
    """A recipe that trains a tiny network for six steps, with its crops."""
    import yaml

    from rgbt_tracker.synthetic.random_scenes import random_seeds
    from rgbt_tracker.training.data.cutting import CropWriter
    from rgbt_tracker.training.data.drawn_crops import scene_crops

    with CropWriter(place / "crops") as writer:
        for seed in random_seeds("train", 2):
            scene_crops(seed, writer, 2, [])
    backbone = {"type": "mobilenetv2", "levels": [3, 5], "width": 0.25, "shared": True}
    head = {"type": "rpn", "channels": 8, "weighted": True}
    network = {"backbone": backbone, "neck": {"channels": [8, 8], "crop": True}, "head": head}
    recipe = {
        "name": "tiny",
        "model": "tiny.yaml",
        "steps": 6,
        "batch": 2,
        "data": {"sources": [{"crops": str(place / "crops")}], "paired": 0.5, "workers": 1},
        "optimiser": {"type": "adamw", "rate": 0.002},
        "checkpoints": {"every": 2, "keep": 0},
    }
    (place / "tiny.yaml").write_text(yaml.safe_dump({"name": "tiny", "modality": "rgbt", "model": network}))
    (place / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return place / "recipe.yaml"


def started(command: Command, out: Path, mark: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, MARK: mark, "RGBT_CACHE": str(out)}
    words = [*PROGRAM, *map(os.fspath, command.arguments(out))]
    return subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finished(command: Command, out: Path) -> float:
    """Run a command to its end; return the seconds that it took."""
    begin = time.monotonic()
    process = started(command, out, "whole")
    _, said = process.communicate()
    if process.returncode != 0:
        raise UserError(f"The command itself fails: {said.decode(errors='replace').strip()[-300:]}")
    return time.monotonic() - begin


def contents(command: Command, out: Path) -> dict[str, bytes]:
    files = {file for pattern in command.compared for file in out.glob(pattern) if file.is_file()}
    own = {file for file in files if UNFINISHED not in str(file)}
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in sorted(own)}


def alive(mark: str) -> list[str]:
    """Numbers of the processes of a run."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(folder.name)
        except OSError:  # which has ended meanwhile, or is another user's
            continue
    return found


def kill_once(name: str, command: Command, place: Path, after: float, reference: dict[str, bytes], to: Counts) -> None:
    out, mark = place / "out", f"{os.getpid()}-{to.kills}-{name}"
    shutil.rmtree(out, ignore_errors=True)
    process = started(command, out, mark)
    try:
        process.wait(after)
        to.early += 1
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    begin = time.monotonic()
    while alive(mark) and time.monotonic() - begin < GRACE:
        time.sleep(0.2)
    process.communicate()
    to.orphans += [f"{name}: process {number}" for number in alive(mark)]
    to.half_written += [
        f"{name}: {file}" for file, data in contents(command, out).items() if data != reference.get(file)
    ]
    finished(command, out)
    after_it = contents(command, out)
    to.lost += [f"{name}: {file}" for file in reference if after_it.get(file) != reference[file]]
    to.litter += [f"{name}: {file.relative_to(out)}" for file in out.rglob(f"{UNFINISHED}*")]
    to.kills += 1


def main(args: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="in all, over the commands in turn")
    parser.add_argument("--command", action="append", help="only this one; may be given again")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args(args)
    if not sys.platform.startswith("linux"):
        raise UserError("This script looks for processes in /proc: run it on Linux.")
    moments = random.Random(options.seed)
    counts: dict[str, Counts] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        known = commands(place)
        chosen = {name: known[name] for name in options.command or known if name in known}
        references, seconds = {}, {}
        for name, command in chosen.items():
            seconds[name] = finished(command, place / "reference" / name)
            references[name] = contents(command, place / "reference" / name)
        with suppress(KeyboardInterrupt):  # which ends it early, with what was found until then
            for number in range(options.kills):
                name = list(chosen)[number % len(chosen)]
                moment = moments.uniform(0.05, 1.0) * seconds[name]
                found = counts.setdefault(name, Counts())
                kill_once(name, chosen[name], place, moment, references[name], found)
                print(f"{number + 1} of {options.kills}: {name} killed after {moment:.1f} s", file=sys.stderr)
    print_table(counts)


def print_table(counts: dict[str, Counts]) -> None:
    print("| command | kills | of these after its end | lost | half-written | litter | orphans |")
    print("|---" * 7 + "|")
    for name, found in counts.items():
        cells = (found.lost, found.half_written, found.litter, found.orphans)
        print(f"| {name} | {found.kills} | {found.early} | {' | '.join(str(len(cell)) for cell in cells)} |")
    wrong = [line for found in counts.values() for line in (*found.lost, *found.half_written, *found.litter)]
    print("\n".join(["", *wrong, *(line for found in counts.values() for line in found.orphans)]))


if __name__ == "__main__":
    run(main)
