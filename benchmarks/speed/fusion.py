"""Time and memory of fusing one colour pair on the CPU, and of the lean inference against the network's own pass.

    python benchmarks/fusion.py [--size 640x480] [--threads 2] [--weights NAME]

Prints the whole pair (Fuser, colour included), then the grey fusion by nestfuse_core.model.inference and by
NestFuse.forward in the same run. Processor time is shown beside wall time, since the latter means little on a busy
machine. Peak memory is the process's; the lean pass runs first, so that the later figure is the plain pass's.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
import torch

from nestfuse_core import load_network
from nestfuse_core.common.memory import keep_freed_memory
from nestfuse_core.fusion import tiling
from nestfuse_core.fusion.fuser import Fuser

Timed = tuple[float, float]


def timed(function: Callable[[], object], repeats: int = 3) -> Timed:
    """Return the least wall time and the least processor time of several calls, in seconds."""
    wall, processor = [], []
    for _ in range(repeats):
        starts = time.perf_counter(), time.process_time()
        function()
        wall.append(time.perf_counter() - starts[0])
        processor.append(time.process_time() - starts[1])
    return min(wall), min(processor)


def peak_gigabytes() -> float:
    """Largest resident memory of this process so far."""
    unit = 1e9 if sys.platform == "darwin" else 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed_memory()  # as the commands do
    width, height = (int(side) for side in options.size.split("x"))
    network = load_network(options.weights)
    few = np.random.default_rng(0).integers(0, 256, (2, 12, 16, 3), dtype=np.uint8)
    ir, vis = (cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC) for image in few)
    fuse = Fuser(network)

    def line(name: str, seconds: Timed) -> None:
        print(f"{name:28} {seconds[0]:6.2f} s wall {seconds[1]:6.2f} s processor, peak {peak_gigabytes():.2f} GB")

    print(f"{width}x{height}, {options.threads} threads, {peak_gigabytes():.2f} GB before the first image")
    line("colour pair", timed(lambda: fuse(ir[..., 0], vis)))
    if fuse.steps(height, width):
        return
    images = [torch.from_numpy(image[..., 0].astype(np.float32))[None, None] for image in (ir, vis)]
    lean = timed(lambda: tiling.fuse_tile(network, images, "attention", None))
    line("grey, lean inference", lean)
    with torch.inference_mode():
        plain = timed(lambda: network(*images))
    line("grey, the network's own pass", plain)
    print(f"ratio {plain[0] / lean[0]:.2f} wall, {plain[1] / lean[1]:.2f} processor")


if __name__ == "__main__":
    main()
