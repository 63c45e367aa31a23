"""Time and memory of fusing one colour pair on the CPU by each look, and of the lean inference.

    python benchmarks/speed/fusion.py [--size 640x480] [--threads 2] [--look natural --look equations] [--turns 3]

Prints the whole pair, arrays to array, colour included: the looks take turns, and the first one's peak memory is
read before the others begin. For pictures that fit into one tile, then the grey fusion at full resolution by
nestfuse_core.model.inference and by NestFuse.forward in the same run. Processor time is shown beside wall time, since
the latter means little on a busy machine. The look ``equations`` is the default picture of before there were looks.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import torch
from timing import Seconds, command_line, in_turn, least, median, size, timed

from nestfuse_core import load_network
from nestfuse_core.common.guard import run
from nestfuse_core.fusion import tiling
from nestfuse_core.fusion.fuser import WHOLE_PIXELS, Fuser
from nestfuse_core.fusion.looks import LOOKS

REPEATS = 3


def fastest(function: Callable[[], object]) -> Seconds:
    """The least times of `REPEATS` calls."""
    return least(in_turn({"": function}, REPEATS, warm_up=False)[""])


def peak_gigabytes() -> float:
    """Largest resident memory of this process so far."""
    unit = 1e9 if sys.platform == "darwin" else 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def line(name: str, seconds: Seconds) -> None:
    """Print times, and the peak memory so far."""
    peak = peak_gigabytes()
    print(f"{name:28} {seconds.clock:6.2f} s wall {seconds.processor:6.2f} s processor, peak {peak:.2f} GB")


def main(args: list[str] | None = None) -> None:
    """Print a line a way, and the ratio."""
    parser = command_line(__doc__)
    parser.add_argument("--size", type=size, default=(640, 480), metavar="WxH")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--look", action="append", choices=list(LOOKS))
    parser.add_argument("--turns", type=int, default=REPEATS)
    options = parser.parse_args(args)
    torch.set_num_threads(options.threads)
    width, height = options.size
    looks = options.look or ["natural", "equations"]
    few = np.random.default_rng(0).integers(0, 256, (2, 12, 16, 3), dtype=np.uint8)
    ir, vis = (cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC) for image in few)
    fusers = {look: Fuser(look=look) for look in looks}
    works = {look: partial(fuser, ir[..., 0], vis) for look, fuser in fusers.items()}
    print(f"{width}x{height}, {options.threads} threads, {peak_gigabytes():.2f} GB before the first image")
    line(f"colour pair, {looks[0]}, first", timed(works[looks[0]])[0])
    times = {look: median(seconds) for look, seconds in in_turn(works, options.turns, warm_up=False).items()}
    for look, seconds in times.items():
        line(f"colour pair, {look}", seconds)
        first = times[looks[0]]
        print(
            f"{'':28} {looks[0]} / {look}: {first.clock / seconds.clock:.2f} wall, "
            f"{first.processor / seconds.processor:.2f} processor"
        )
    if height * width > WHOLE_PIXELS:
        return
    network = load_network()
    images = [torch.from_numpy(image[..., 0].astype(np.float32))[None, None] for image in (ir, vis)]
    lean = fastest(lambda: tiling.fuse_tile(network, images, "attention", None))
    line("grey, lean inference", lean)
    with torch.inference_mode():
        plain = fastest(lambda: network(*images))
    line("grey, the network's own pass", plain)
    print(f"ratio {plain.clock / lean.clock:.2f} wall, {plain.processor / lean.processor:.2f} processor")


if __name__ == "__main__":
    run(main)
