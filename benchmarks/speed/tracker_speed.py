"""Milliseconds a frame by modality and section, and what the second modality costs.

    python benchmarks/speed/tracker_speed.py --config nestfuse_nanotrack [--sequence DIR|drawn:street]

The modalities take turns frame by frame, so that all meet the same load; every figure is a median over frames and the
ratios compare medians of this one run. The tracker's sections are timed by `rgbt_tracker.models.timing.SectionTimer`,
"reading" is loading and decoding the frames that the modality needs (for a drawn sequence: drawing both). On a busy
machine raise --frames: a median over few frames is then mostly the other programs' work.
"""

from __future__ import annotations

import statistics
import sys
from typing import Any

import torch
from timing import command_line, timed

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run
from rgbt_tracker import build_tracker
from rgbt_tracker.config import Modality, load_config
from rgbt_tracker.locate import open_sequence
from rgbt_tracker.models.timing import SectionTimer
from rgbt_tracker.sequences import Frame
from rgbt_tracker.sequences.paired import PairedSequence

MODALITIES: tuple[Modality, ...] = ("rgb", "ir", "rgbt")
SECTIONS = ("cropping", "backbone", "fusion", "neck", "head", "post-processing")
Row = dict[str, dict[str, float]]


def measure(trackers: dict[str, Any], sequence: Any, frames: int, warm_up: int) -> list[Row]:
    """Track ``frames`` frames with every tracker in turn: one {modality: {section: ms, "total": ms}} a frame."""
    rows = []
    first = sequence.frame(0)
    for tracker in trackers.values():
        tracker.initialize(first.rgb, first.ir, sequence.info.start_box)
    names = list(trackers)
    for step in range(frames + warm_up):
        frame, reading = read(sequence, 1 + step % (len(sequence) - 1))
        row = {}
        # Another one begins each time: the first after reading finds the frame in the processor's cache.
        for name in names[step % len(names) :] + names[: step % len(names)]:
            row[name] = updated(trackers[name], frame) | {"reading": reading[name]}
        if step >= warm_up:
            rows.append(row)
    return rows


def read(sequence: Any, index: int) -> tuple[Frame, dict[str, float]]:
    """The frame, and the milliseconds of reading what each modality needs of it."""
    if not isinstance(sequence, PairedSequence) or len(sequence.cameras) < 2:
        both, frame = timed(lambda: sequence.frame(index))
        return frame, dict.fromkeys(MODALITIES, 1000 * both.clock)
    places = [int(order[index]) for order in (sequence.pairing.rgb, sequence.pairing.ir)]
    first, rgb = timed(lambda: sequence.read("rgb", places[0]))
    second, ir = timed(lambda: sequence.read("ir", places[1]))
    spent = {"rgb": first.clock, "ir": second.clock, "rgbt": first.clock + second.clock}
    return Frame(index, rgb, ir), {name: 1000 * seconds for name, seconds in spent.items()}


def updated(tracker: Any, frame: Frame) -> dict[str, float]:
    """Milliseconds of one update by section, and in all."""
    timer = tracker.timer = tracker.runtime.network.timer = SectionTimer()
    total, _ = timed(lambda: tracker.update(frame.rgb, frame.ir))
    return {section: 1000 * sum(seconds) for section, seconds in timer.seconds.items()} | {"total": 1000 * total.clock}


def report(rows: list[Row]) -> None:
    """Print the medians and the ratio of both modalities to one."""
    present = [section for section in SECTIONS if any(section in values for row in rows for values in row.values())]
    print(f"{'ms a frame':<18}" + "".join(f"{name:>9}" for name in MODALITIES) + f"{'rgbt/rgb':>11}")
    for section in ["reading", *present, "other", "total"]:
        line = {name: statistics.median(part(row[name], section, present) for row in rows) for name in MODALITIES}
        # The ratio of next to nothing says nothing: one modality is not fused.
        ratio = f"{line['rgbt'] / line['rgb']:>11.2f}" if line["rgb"] > 0.1 else f"{'-':>11}"
        label = "tracker, in all" if section == "total" else section
        print(f"{label:<18}" + "".join(f"{line[name]:>9.2f}" for name in MODALITIES) + ratio)
    print(f"{'frames a second':<18}" + "".join(f"{1000 / line[name]:>9.1f}" for name in MODALITIES))


def part(values: dict[str, float], section: str, timed_sections: list[str]) -> float:
    """Milliseconds of a section; "other" is what the sections leave of the total."""
    if section == "other":
        return values["total"] - sum(values.get(name, 0.0) for name in timed_sections)
    return values.get(section, 0.0)


def main(args: list[str] | None = None) -> None:
    """Print the table.

    Raises:
        UserError: bad input, or a sequence of one frame or without a first box.
    """
    parser = command_line(__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--weights", default="untrained", help="timing does not depend on them")
    parser.add_argument("--sequence", default="drawn:street")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0 for its own choice")
    parser.add_argument("--default-memory", action="store_true", help="as in a program that does not keep freed memory")
    options = parser.parse_args(args)
    if options.threads:
        torch.set_num_threads(options.threads)
    config = load_config(options.config)
    trackers: dict[str, Any] = {
        name: build_tracker(config, options.weights, options.device, modality=name, runtime="torch")
        for name in MODALITIES
    }
    sequence = open_sequence(options.sequence)
    if sequence.info.start_box is None or len(sequence) < 2:
        raise UserError(f"Expected two frames and a box in the first of them, '{sequence.name}' lacks that.")
    device = next(iter(trackers.values())).device
    print(f"{config.name} on {device}, {torch.get_num_threads()} threads, {options.frames} frames of {sequence.name}")
    report(measure(trackers, sequence, options.frames, options.warm_up))


if __name__ == "__main__":
    run(main, keep_memory="--default-memory" not in sys.argv)
