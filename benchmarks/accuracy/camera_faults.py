"""How often the watch over the cameras says something of pictures, and what it costs.

    python benchmarks/accuracy/camera_faults.py --sequence DIR --pair VISIBLE THERMAL --stills DIR --drawn 30

Sequences and pairs of videos or folders are watched from their first frame to the last, three times: as they are, with
a thermal camera of 9 Hz stored at the rate of the other, which repeats its pictures three and four times, and with a
visible one of 25 Hz in 30. ``--stills`` are pictures without an order (of all subfolders): each is looked at by itself,
where only what a single picture shows can be said of it. ``--drawn`` adds scenes of ``--length`` frames in which no
camera fails. Every alarm is printed; whether it is a false one is for the eye to say.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from nestfuse_core.cameras.watch import PairWatch
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run
from nestfuse_core.common.pictures import read_image
from rgbt_tracker import open_sequence
from rgbt_tracker.sequences import open_pair
from rgbt_tracker.sequences.base import Derived, Frame, FrameSequence
from rgbt_tracker.sequences.watched import watch
from rgbt_tracker.synthetic import draw_sequence, split
from rgbt_tracker.synthetic.scenes import find_scene

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}
FAILING = {"rgb_black", "ir_black"}
"""Tags of drawn scenes in which a camera does fail."""


class Slower(Derived):
    """A sequence one of whose cameras delivers ``share`` of the frames, each stored until the next."""

    def __init__(self, source: FrameSequence, camera: str, share: float) -> None:
        super().__init__(source)
        self._camera, self._share = camera, share

    def frame(self, index: int) -> Frame:
        frame = self._source.frame(index)
        older = self._source.frame(int(np.ceil(np.floor(index * self._share + 1e-6) / self._share - 1e-6)))
        # Stored pictures have numbers of their own: that they are repeated shows in their pixels alone.
        return replace(frame, **{self._camera: older.picture(self._camera)})


class Count:
    """Pictures that were looked at, alarms among them, and the seconds that looking took."""

    def __init__(self) -> None:
        self.pictures, self.alarms = 0, Counter[str]()
        self.lines: list[str] = []

    def sequence(self, sequence: FrameSequence, note: str = "") -> None:
        """Watch a sequence."""
        watched = watch(sequence)
        for frame in watched:
            self.pictures += sum(
                camera in frame.faults or frame.picture(camera) is not None for camera in ("rgb", "ir")
            )
            self.alarms.update(frame.faults.values())
        self.lines += [f"{sequence.name}{note}: {line}" for line in watched.summary()]

    def still(self, path: Path) -> None:
        """Look at one picture."""
        found = PairWatch()({"rgb": read_image(path)})
        self.pictures += 1
        self.alarms.update(found.values())
        self.lines += [f"{path}: {fault}" for fault in found.values()]

    def row(self, name: str) -> str:
        """A line of the table."""
        alarms = ", ".join(f"{count} {fault}" for fault, count in self.alarms.items())
        return f"| {name} | {self.pictures} | {alarms or 0} |"


def drawn(count: int, length: int, part: str) -> Iterator[FrameSequence]:
    """Drawn scenes in which no camera fails."""
    for scene, seed in split(part, count):
        sequence = draw_sequence(find_scene(scene), length=length, seed=seed)
        if not FAILING & set(sequence.info.tags):
            yield sequence


def cost(rounds: int = 60) -> float:
    """Milliseconds of the fastest look at a 640x480 pair, per picture."""
    sequence = draw_sequence("street", length=2)
    frames = [sequence.frame(index) for index in range(2)]
    looks, seconds = PairWatch(), []
    for number in range(rounds):
        frame = frames[number % 2]
        begin = time.perf_counter()
        looks({"rgb": frame.rgb, "ir": frame.ir})
        seconds.append(time.perf_counter() - begin)
    return 1000 * min(seconds) / 2


def main(args: list[str] | None = None) -> None:
    """Print every alarm, the table and the cost.

    Raises:
        UserError: bad input, or nothing to look at.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequence", action="append", default=[], help="folder or name; may be repeated")
    parser.add_argument("--pair", action="append", default=[], nargs=2, metavar=("A", "B"), help="may be repeated")
    parser.add_argument("--stills", action="append", default=[], type=Path, metavar="DIR", help="may be repeated")
    parser.add_argument("--drawn", type=int, default=0, help="how many drawn scenes")
    parser.add_argument("--part", default="validation", choices=["train", "validation", "test"])
    parser.add_argument("--length", type=int, default=100, help="of drawn scenes")
    arguments = parser.parse_args(args)
    counts: dict[str, Count] = {}

    def watched(kind: str, sequence: FrameSequence) -> None:
        kept = sequence.cached()
        for note, version in (
            ("", kept),
            (", thermal of 9 Hz in 30", Slower(kept, "ir", 0.3)),
            (", visible of 25 Hz in 30", Slower(kept, "rgb", 25 / 30)),
        ):
            counts.setdefault(kind + note, Count()).sequence(version, note)
        print(f"{sequence.name}: {len(sequence)} frames", flush=True)

    for name in arguments.sequence:
        watched("recorded", open_sequence(name))
    for rgb, ir in arguments.pair:
        watched("recorded", open_pair(rgb, ir))
    for sequence in drawn(arguments.drawn, arguments.length, arguments.part):
        watched("drawn", sequence)
    for folder in arguments.stills:
        for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES):
            counts.setdefault("stills", Count()).still(path)
    if not counts:
        raise UserError("Expected something to look at: give --sequence, --pair, --stills or --drawn.")
    print("\n".join(line for count in counts.values() for line in count.lines))
    print("\n| | pictures | alarms |\n|---|---|---|")
    for kind, count in counts.items():
        print(count.row(kind))
    print(f"\n{cost():.2f} ms a picture of 640x480")


if __name__ == "__main__":
    run(main)
