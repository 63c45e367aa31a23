"""How far apart the pictures of two live cameras are when a tracker gets them, read from clocks in the pictures.

    python benchmarks/accuracy/live_pairing.py [--seconds 12] [--work 20] [--tracker nestfuse_nanotrack]

Two local MJPEG servers (`clock_stream.py`) send pictures that show the millisecond they were made in: at 30 + 30, at
30 + 9 a second, and at 30 + 9 where the faster one stops for three seconds and comes back. They are opened as
``rgbt track --rgb http://... --ir http://...`` opens network cameras. The consumer waits for ``--work`` milliseconds a
frame; ``--tracker`` adds a run with a real tracker in its place. Printed: differences between the two clocks in a
frame, and how old its newer picture is when the consumer gets it.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from clock_stream import ClockStream, clock_streams, draw_clock, read_clock

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run
from rgbt_tracker import build_tracker
from rgbt_tracker.sequences import Frame, open_pair

AWAY = 3.0
"""Seconds for which a camera stops; the rest of its run is as long as the others."""
BOX = (200.0, 150.0, 60.0, 60.0)
HEAD = "| cameras | consumer | frames a second | frames | with one camera | median | 95 % | largest | age, median |"


@dataclass
class Case:
    """What a consumer got: milliseconds between the clocks of a frame's two pictures, and those since the newer one."""

    apart: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    alone: int = 0
    seconds: float = 0.0
    summary: list[str] = field(default_factory=list)

    def take(self, frame: Frame) -> None:
        """Read the clocks of a frame that arrived just now."""
        now = time.monotonic()
        clocks = [read_clock(picture) for picture in (frame.rgb, frame.ir) if picture is not None]
        self.ages.append(1000 * (now - max(clocks)))
        if len(clocks) == 2:
            self.apart.append(1000 * abs(clocks[0] - clocks[1]))
        else:
            self.alone += 1

    def row(self, cameras: str, consumer: str) -> str:
        """A line of the table."""
        count = len(self.ages)
        median, most, largest = (f"{value:.0f}" for value in np.percentile(self.apart or [np.nan], (50, 95, 100)))
        age = f"{np.median(self.ages):.0f}" if count else "nan"
        figures = [f"{count / self.seconds:.1f}", str(count), str(self.alone), median, most, largest, age]
        return f"| {' | '.join([cameras, consumer, *figures])} |"


def measure(rates: tuple[float, float], seconds: float, consume: Callable[[Frame], None], away: bool = False) -> Case:
    """Watch two cameras for ``seconds``; the first stops after a quarter of them, for `AWAY` more, if ``away``."""
    case = Case()
    with clock_streams(*rates) as (rgb, ir), open_pair(rgb.address, ir.address) as sequence:
        timers = outage(rgb, seconds / 4) if away else []
        began = time.monotonic()
        for frame in sequence:
            case.take(frame)
            consume(frame)
            case.seconds = time.monotonic() - began
            if case.seconds > seconds + AWAY * away:
                sequence.stop()
        for timer in timers:
            timer.cancel()
    case.summary = sequence.summary()
    return case


def outage(stream: ClockStream, after: float) -> list[threading.Timer]:
    """Have the stream stop ``after`` seconds, for `AWAY`; the timers that do it."""
    timers = [threading.Timer(after, stream.down.set), threading.Timer(after + AWAY, stream.down.clear)]
    for timer in timers:
        timer.start()
    return timers


def tracking(config: str, device: str) -> Callable[[Frame], None]:
    """A tracker that is given every frame, started on the first; warmed up, since its first frames take seconds."""
    tracker = build_tracker(config, device=device)
    picture = draw_clock(0.0)
    tracker.initialize(picture, picture, BOX)
    tracker.update(picture, picture)

    def consume(frame: Frame) -> None:
        if frame.index == 0:
            tracker.initialize(frame.rgb, frame.ir, BOX)
        else:
            tracker.update(frame.rgb, frame.ir)

    return consume


def main(args: list[str] | None = None) -> None:
    """Print the table and what the cameras' summary says of the outage.

    Raises:
        UserError: no time to measure anything, or a tracker that is not there.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=12.0, help="of each run")
    parser.add_argument("--work", type=float, default=20.0, help="milliseconds that the consumer takes for a frame")
    parser.add_argument("--tracker", metavar="CONFIG", help="and a run with this tracker")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args(args)
    if arguments.seconds <= 0 or arguments.work < 0:
        raise UserError(
            f"Expected seconds and milliseconds, got --seconds {arguments.seconds} --work {arguments.work}."
        )
    tracker = tracking(arguments.tracker, arguments.device) if arguments.tracker else None
    waiting, takes = lambda frame: time.sleep(arguments.work / 1000), f"{arguments.work:g} ms"
    print(HEAD)
    print("|---" * (HEAD.count("|") - 1) + "|")
    for rates in ((30.0, 30.0), (30.0, 9.0)):
        print(measure(rates, arguments.seconds, waiting).row("{:g} + {:g}".format(*rates), takes), flush=True)
    stopped = measure((30.0, 9.0), arguments.seconds, waiting, away=True)
    print(stopped.row(f"30 + 9, the first away for {AWAY:g} s", takes), flush=True)
    if tracker is not None:
        print(measure((30.0, 9.0), arguments.seconds, tracker).row("30 + 9", arguments.tracker), flush=True)
    print("\n" + "\n".join(stopped.summary))


if __name__ == "__main__":
    run(main)
