"""Time and memory of fusing one colour pair on the CPU by each look and runtime, and of the lean inference.

    python benchmarks/speed/fusion.py [--size 640x480] [--threads 2] [--look natural --look equations] [--turns 3]
        [--runtime onnx --runtime torch]

Prints the whole pair, arrays to array, colour included: looks and runtimes take turns, ratios are to the first, and its
peak memory is read before the others begin; then how far a look's pictures by both runtimes differ. For pictures that
fit into one tile, then the grey fusion at full resolution by nestfuse_core.model.inference and by NestFuse.forward in
the same run. Processor time is shown beside wall time, since the latter means little on a busy machine. The look
``equations`` is the default picture of before there were looks.
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

from nestfuse_core import load_network, open_runtime
from nestfuse_core.common.guard import run
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
    print(f"{name:34} {seconds.clock:6.2f} s wall {seconds.processor:6.2f} s processor, peak {peak:.2f} GB")


def print_differences(images: dict[str, np.ndarray]) -> None:
    """Largest difference in levels, and share of values that differ, of what follows a look's first picture."""
    firsts: dict[str, str] = {}
    for name, image in images.items():
        first = firsts.setdefault(name.partition(",")[0], name)
        if first != name:
            apart = np.abs(image.astype(int) - images[first])
            print(f"{name} and {first}: {apart.max()} levels at most, {100 * (apart > 0).mean():.4f} % differ")


def main(args: list[str] | None = None) -> None:
    """Print a line a way, and ratios."""
    parser = command_line(__doc__)
    parser.add_argument("--size", type=size, default=(640, 480), metavar="WxH")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--look", action="append", choices=list(LOOKS))
    parser.add_argument("--runtime", action="append", choices=["onnx", "torch"])
    parser.add_argument("--turns", type=int, default=REPEATS)
    options = parser.parse_args(args)
    torch.set_num_threads(options.threads)
    width, height = options.size
    looks = options.look or ["natural", "equations"]
    few = np.random.default_rng(0).integers(0, 256, (2, 12, 16, 3), dtype=np.uint8)
    ir, vis = (cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC) for image in few)
    fusers = {
        f"{look}, {name}": Fuser(open_runtime(LOOKS[look].weights, "cpu", name, options.threads), look=look)
        for look in looks
        for name in options.runtime or ["onnx", "torch"]
    }
    works = {name: partial(fuser, ir[..., 0], vis) for name, fuser in fusers.items()}
    reference = next(iter(works))
    print(f"{width}x{height}, {options.threads} threads, {peak_gigabytes():.2f} GB before the first image")
    line(f"colour pair, {reference}, first", timed(works[reference])[0])
    times = {name: median(seconds) for name, seconds in in_turn(works, options.turns, warm_up=False).items()}
    for name, seconds in times.items():
        line(f"colour pair, {name}", seconds)
        first = times[reference]
        print(
            f"{'':34} {seconds.clock / first.clock:.2f} of {reference}'s wall, "
            f"{seconds.processor / first.processor:.2f} of its processor time"
        )
    print_differences({name: work().image for name, work in works.items()})
    if height * width > WHOLE_PIXELS:
        return
    network = load_network()
    pair = [image[..., 0].astype(np.float32) for image in (ir, vis)]
    images = [torch.from_numpy(image)[None, None] for image in pair]
    lean = fastest(lambda: Fuser(network, look="equations").fuse_grey(*pair))
    line("grey, lean inference", lean)
    with torch.inference_mode():
        plain = fastest(lambda: network(*images))
    line("grey, the network's own pass", plain)
    print(f"ratio {plain.clock / lean.clock:.2f} wall, {plain.processor / lean.processor:.2f} processor")


if __name__ == "__main__":
    run(main)
