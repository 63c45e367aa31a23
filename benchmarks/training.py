"""What the fast layers of training gain: ratios of CPU time against torch's own way, measured in the same run.

python benchmarks/training.py [--threads 1] [--repeat 3]
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from rgbt_tracker.models.backbones.mobilenetv2 import MobileNetV2
from rgbt_tracker.models.heads.correlation import depthwise_correlation
from rgbt_tracker.training.optimisation.fast_layers import FrozenLayers, fuse_batch_norms

BATCH = 8
LAYERS = [f"layer{index}" for index in range(6)]


def seconds(work: Callable[[], object], repeat: int) -> float:
    """Least CPU time of one call."""
    work()
    times = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def show(name: str, plain: float, fast: float) -> None:
    print(f"{name:58} torch {plain * 1e3:7.0f} ms   here {fast * 1e3:7.0f} ms   ratio {plain / fast:5.1f}", flush=True)


def correlation(repeat: int) -> None:
    search = torch.rand(BATCH, 96, 29, 29, requires_grad=True)
    kernel = torch.rand(BATCH, 96, 5, 5, requires_grad=True)

    def plain() -> Tensor:
        groups = BATCH * 96
        return F.conv2d(search.reshape(1, groups, 29, 29), kernel.reshape(groups, 1, 5, 5), groups=groups)

    show(
        "depthwise correlation, forward and backward",
        seconds(lambda: plain().sum().backward(), repeat),
        seconds(lambda: depthwise_correlation(search, kernel).sum().backward(), repeat),
    )


def frozen_backbone(repeat: int, dtype: torch.dtype) -> None:
    plain = MobileNetV2((3, 5)).eval()
    folded = copy.deepcopy(plain)
    FrozenLayers(folded).freeze(LAYERS, dtype)
    image = torch.rand(BATCH, 3, 255, 255).contiguous(memory_format=torch.channels_last)

    def run(net: MobileNetV2) -> None:
        with torch.no_grad(), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            net(image)

    name = str(dtype).removeprefix("torch.")
    show(f"frozen backbone, {name}", seconds(lambda: run(plain), repeat), seconds(lambda: run(folded), repeat))


def trained_layer(repeat: int) -> None:
    plain = MobileNetV2((3, 5)).eval().layer5
    fast = copy.deepcopy(plain)
    fuse_batch_norms(fast)
    features = torch.rand(BATCH, 64, 31, 31).contiguous(memory_format=torch.channels_last)

    def run(layer: torch.nn.Module) -> None:
        with torch.autocast("cpu", torch.bfloat16):
            layer(features).float().sum().backward()

    show(
        "training layer5 with fixed statistics, bfloat16",
        seconds(lambda: run(plain), repeat),
        seconds(lambda: run(fast), repeat),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"batch {BATCH}, {options.threads} thread(s), CPU time")
    correlation(options.repeat)
    frozen_backbone(options.repeat, torch.float32)
    frozen_backbone(options.repeat, torch.bfloat16)
    trained_layer(options.repeat)


if __name__ == "__main__":
    main()
