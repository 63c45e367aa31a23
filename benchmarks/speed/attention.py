"""Cost of the fusion strategy: nuclear pooling against a loop of SVDs, and each strategy against a plain addition.

    python benchmarks/speed/attention.py [--threads 1] [--repeats 5]

Every ratio compares two medians of the same run. `--small` takes a tenth of the channels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from timing import command_line, in_turn, median

from nestfuse_core import fuse_features
from nestfuse_core.common.guard import run
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


def milliseconds(functions: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median milliseconds of each function."""
    return {name: 1000 * median(times).clock for name, times in in_turn(functions, repeats).items()}


@torch.inference_mode()
def main(args: list[str] | None = None) -> None:
    """Print the tables."""
    parser = command_line(__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="a tenth of the channels, to see that it runs")
    options = parser.parse_args(args)
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    for title, whole in SIZES.items():
        size = (1, max(1, whole[1] // 10), *whole[2:]) if options.small else whole
        first, second = (torch.randn(size).relu() for _ in range(2))
        print(f"\n{title}: {'x'.join(map(str, size))}")
        times = milliseconds(
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
        times = milliseconds(fusions, options.repeats)
        print("  fusion: " + ", ".join(f"{name} {value:.2f} ms" for name, value in times.items()))


if __name__ == "__main__":
    run(main)
