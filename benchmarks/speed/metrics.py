"""Time of the seven metrics, and of the fast FMI and VIF against plain loops over windows in the same run.

    OMP_NUM_THREADS=1 python benchmarks/speed/metrics.py [--size 620x450] [--crop 96]

The loops are those of tests/nestfuse_core/straightforward.py; they run on a crop, since a whole image takes minutes,
and the script stops with an error if their values differ from the fast ones.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from timing import command_line, in_turn, least, size, timed

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run
from nestfuse_core.metrics import evaluate
from nestfuse_core.metrics.fmi import dct_feature, feature_mutual_information, wavelet_feature
from nestfuse_core.metrics.vif import visual_information_fidelity

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "nestfuse_core"))
import straightforward

REPEATS = 3
COMPARED = ["FMI_dct", "FMI_w", "VIF"]
SMALLEST = 72
"""Pixels a side that the reference's pyramid needs."""


def scene(width: int, height: int, seed: int) -> NDArray[np.uint8]:
    """Blurred noise at several scales, HxW uint8."""
    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), s) * s for s in (0.7, 2, 6)]
    return np.clip(128 + 60 * sum(layers), 0, 255).astype(np.uint8)


def fastest(function: Callable[[], float]) -> float:
    """The least processor time of `REPEATS` calls."""
    return least(in_turn({"": function}, REPEATS, warm_up=False)[""]).processor


def main(args: list[str] | None = None) -> None:
    """Print the time of all metrics, and a line a comparison.

    Raises:
        UserError: a crop too small for the metrics' windows.
    """
    parser = command_line(__doc__)
    parser.add_argument("--size", type=size, default=(620, 450), metavar="WxH")
    parser.add_argument("--crop", type=int, default=96)
    parser.add_argument("--against", nargs="+", choices=COMPARED, default=COMPARED, help="metrics to compare")
    options = parser.parse_args(args)
    if not SMALLEST <= options.crop <= min(options.size):
        raise UserError(f"Expected a --crop from {SMALLEST} to the picture's shorter side, got {options.crop}.")
    cv2.setNumThreads(1)
    width, height = options.size
    ir, vis = scene(width, height, 1), scene(width, height, 2)
    fused = (ir // 3 + vis // 2).astype(np.uint8)
    seconds = fastest(lambda: evaluate(ir, vis, fused)["VIF"])
    print(f"all seven metrics, {width}x{height}, one core: {seconds:.2f} s")

    a, b, f = (image[: options.crop, : options.crop] / 255 for image in (ir, vis, fused))
    dct = [dct_feature(image) for image in (a, b, f)]
    wavelet = [wavelet_feature(image) for image in (a, b, f)]
    cases: dict[str, tuple[Callable[[], float], Callable[[], float]]] = {
        "FMI_dct": (
            lambda: feature_mutual_information(*dct),
            lambda: straightforward.feature_mutual_information(*dct),
        ),
        "FMI_w": (
            lambda: feature_mutual_information(*wavelet),
            lambda: straightforward.feature_mutual_information(*wavelet),
        ),
        "VIF": (
            lambda: visual_information_fidelity([a], f)[0],
            lambda: straightforward.visual_information_fidelity(a, f),
        ),
    }
    print(f"\n{options.crop}x{options.crop} crop     fast       loop    ratio  largest difference")
    for name in options.against:
        fast, loop = cases[name]
        value, fast_seconds = fast(), fastest(fast)
        times, expected = timed(loop)
        loop_seconds = times.processor
        print(
            f"{name:10} {1e3 * fast_seconds:8.1f} ms {loop_seconds:8.2f} s {loop_seconds / fast_seconds:7.0f}x"
            f"  {abs(value - expected):.1e}"
        )
        if abs(value - expected) > 1e-8:
            sys.exit(f"{name} differs from the loop: {value} against {expected}")


if __name__ == "__main__":
    run(main)
