"""Time and memory of fusing one colour pair on the CPU, and of the lean inference against the network's own pass.

    python benchmarks/speed/fusion.py [--size 640x480] [--threads 2] [--weights NAME]

Prints the whole pair (Fuser, colour included), then the grey fusion by nestfuse_core.model.inference and by
NestFuse.forward in the same run. Processor time is shown beside wall time, since the latter means little on a busy
machine. Peak memory is the process's; the lean pass runs first, so that the later figure is the plain pass's.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable

import cv2
import numpy as np
import torch
from timing import Seconds, command_line, in_turn, least, size

from nestfuse_core import load_network
from nestfuse_core.common.commands import run
from nestfuse_core.fusion import tiling
from nestfuse_core.fusion.fuser import Fuser

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
    parser.add_argument("--weights")
    options = parser.parse_args(args)
    torch.set_num_threads(options.threads)
    width, height = options.size
    network = load_network(options.weights)
    few = np.random.default_rng(0).integers(0, 256, (2, 12, 16, 3), dtype=np.uint8)
    ir, vis = (cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC) for image in few)
    fuse = Fuser(network)
    print(f"{width}x{height}, {options.threads} threads, {peak_gigabytes():.2f} GB before the first image")
    line("colour pair", fastest(lambda: fuse(ir[..., 0], vis)))
    if fuse.steps(height, width):
        return
    images = [torch.from_numpy(image[..., 0].astype(np.float32))[None, None] for image in (ir, vis)]
    lean = fastest(lambda: tiling.fuse_tile(network, images, "attention", None))
    line("grey, lean inference", lean)
    with torch.inference_mode():
        plain = fastest(lambda: network(*images))
    line("grey, the network's own pass", plain)
    print(f"ratio {plain.clock / lean.clock:.2f} wall, {plain.processor / lean.processor:.2f} processor")


if __name__ == "__main__":
    run(main)
