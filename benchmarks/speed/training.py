"""What the fast layers of training gain: ratios of processor time to torch's own way, measured in the same run.

python benchmarks/speed/training.py [--threads 1] [--repeat 3] [--batch 8]
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from timing import command_line, in_turn, least
from torch import Tensor

from nestfuse_core.common.guard import run
from rgbt_tracker.models.backbones.mobilenetv2 import MobileNetV2
from rgbt_tracker.models.heads.correlation import depthwise_correlation
from rgbt_tracker.training.optimisation.fast_layers import FrozenLayers, fuse_batch_norms

DTYPES = ["float32", "bfloat16"]
LAYERS = [f"layer{index}" for index in range(6)]


def show(name: str, plain: Callable[[], object], fast: Callable[[], object], repeat: int) -> None:
    """Print the least processor time of one call of each, and the ratio."""
    times = in_turn({"torch": plain, "here": fast}, repeat)
    torchs, ours = (1000 * least(seconds).processor for seconds in times.values())
    print(f"{name:58} torch {torchs:7.0f} ms   here {ours:7.0f} ms   ratio {torchs / ours:5.1f}", flush=True)


def correlation(batch: int, repeat: int) -> None:
    """Depthwise correlation as one grouped convolution, and as here."""
    search = torch.rand(batch, 96, 29, 29, requires_grad=True)
    kernel = torch.rand(batch, 96, 5, 5, requires_grad=True)

    def plain() -> Tensor:
        groups = batch * 96
        return F.conv2d(search.reshape(1, groups, 29, 29), kernel.reshape(groups, 1, 5, 5), groups=groups)

    show(
        "depthwise correlation, forward and backward",
        lambda: plain().sum().backward(),
        lambda: depthwise_correlation(search, kernel).sum().backward(),
        repeat,
    )


def frozen_backbone(batch: int, repeat: int, dtype: torch.dtype) -> None:
    """A backbone that is not trained, with its batch norms folded into the convolutions."""
    plain = MobileNetV2((3, 5)).eval()
    folded = copy.deepcopy(plain)
    FrozenLayers(folded).freeze(LAYERS, dtype)
    image = torch.rand(batch, 3, 255, 255).contiguous(memory_format=torch.channels_last)

    def forward(net: MobileNetV2) -> None:
        with torch.no_grad(), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            net(image)

    name = f"frozen backbone, {str(dtype).removeprefix('torch.')}"
    show(name, lambda: forward(plain), lambda: forward(folded), repeat)


def trained_layer(batch: int, repeat: int) -> None:
    """A layer that is trained with its statistics as they are."""
    plain = MobileNetV2((3, 5)).eval().get_submodule("layer5")
    fast = copy.deepcopy(plain)
    fuse_batch_norms(fast)
    features = torch.rand(batch, 64, 31, 31).contiguous(memory_format=torch.channels_last)

    def step(layer: torch.nn.Module) -> None:
        with torch.autocast("cpu", torch.bfloat16):
            layer(features).float().sum().backward()

    show("training layer5 with fixed statistics, bfloat16", lambda: step(plain), lambda: step(fast), repeat)


def main(args: list[str] | None = None) -> None:
    """Print a line a layer."""
    parser = command_line(__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=DTYPES)
    options = parser.parse_args(args)
    torch.set_num_threads(options.threads)
    print(f"batch {options.batch}, {options.threads} thread(s), CPU time")
    correlation(options.batch, options.repeat)
    for name in options.dtypes:
        frozen_backbone(options.batch, options.repeat, getattr(torch, name))
    if "bfloat16" in options.dtypes:
        trained_layer(options.batch, options.repeat)


if __name__ == "__main__":
    run(main)
