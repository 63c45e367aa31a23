"""Cost of the fusion strategy: nuclear pooling against a loop of SVDs, and each strategy against a plain addition.

    python benchmarks/attention.py [--threads 1] [--repeats 5]

Every ratio compares two times of the same run: medians over alternating repeats.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from nestfuse_core import fuse_features
from nestfuse_core.model.nuclear import nuclear_norm

SIZES = {
    "NestFuse, scale 2 of 320x240": (1, 112, 120, 160),
    "NestFuse, scale 4 of 640x480": (1, 208, 60, 80),
    "SiamRPN++ R50, layer 4, search": (1, 2048, 31, 31),
    "SiamRPN++ R50, layer 4, template": (1, 2048, 15, 15),
}
STRATEGIES: dict[str, dict[str, Any]] = {
    "mean": {"strategy": "mean"},
    "max": {"strategy": "max"},
    "fsrpn": {"strategy": "fsrpn"},
    "attention avg": {"channel": "avg"},
    "attention max": {"channel": "max"},
    "attention nuclear": {"channel": "nuclear"},
}


def svd_loop(features: torch.Tensor) -> torch.Tensor:
    """Nuclear pooling as the released code does it: one full SVD a channel, of the first item only."""
    pooled = torch.zeros(features.shape[1])
    for channel in range(features.shape[1]):
        pooled[channel] = torch.linalg.svd(features[0, channel] + 1e-5).S.sum()
    return pooled


def svdvals(features: torch.Tensor) -> torch.Tensor:
    """Nuclear pooling by batched singular values."""
    return torch.linalg.svdvals(features[0]).sum(-1)


def medians(functions: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median milliseconds of each function; the functions take turns, so that all meet the same load."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if turn:
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


@torch.inference_mode()
def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    for title, size in SIZES.items():
        first, second = (torch.randn(size).relu() for _ in range(2))
        print(f"\n{title}: {'x'.join(map(str, size))}")
        times = medians(
            {
                "ours": partial(nuclear_norm, first),
                "svdvals": partial(svdvals, first),
                "SVD loop": partial(svd_loop, first),
            },
            options.repeats,
        )
        error = ((nuclear_norm(first)[0] - svdvals(first.double())).abs() / svdvals(first.double())).max().item()
        print(f"  nuclear pooling {times['ours']:9.1f} ms   largest relative error against float64 SVD {error:.1e}")
        for name in ("svdvals", "SVD loop"):
            print(f"  {name:15} {times[name]:9.1f} ms   ratio {times[name] / times['ours']:5.1f}")
        fusions: dict[str, Callable[[], object]] = {"add": partial(fuse_features, [first, second], "add")}
        for name, chosen in STRATEGIES.items():
            fusions[name] = partial(fuse_features, [first, second], **chosen)
        times = medians(fusions, options.repeats)
        print("  fusion: " + ", ".join(f"{name} {value:.2f} ms" for name, value in times.items()))


if __name__ == "__main__":
    main()
