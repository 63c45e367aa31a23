"""MobileNetV2 with stride 8 by dilation, as PySOT changes it; key layout ``layerI.J.conv.K``."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

# expansion, channels, count, stride, dilation of layer1 .. layer7
STAGES = (
    (1, 16, 1, 1, 1),
    (6, 24, 2, 2, 1),
    (6, 32, 3, 2, 1),
    (6, 64, 4, 1, 2),
    (6, 96, 3, 1, 2),
    (6, 160, 3, 1, 4),
    (6, 320, 1, 1, 4),
)


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise 3x3, linear 1x1. Stride 2 has no padding, so that positions stay on a grid."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, dilation: int) -> None:
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        hidden = inputs * expansion
        padding = dilation if dilation > 1 else 2 - stride
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, hidden, 3, stride, padding, dilation, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    """Nx3xHxW -> the outputs of ``levels`` (0-7); every channel count is int(c x width). Later layers are left out."""

    def __init__(self, levels: Sequence[int], width: float = 1.0) -> None:
        super().__init__()
        self.levels = tuple(levels)
        inputs = int(32 * width)
        self.layer0 = nn.Sequential(
            nn.Conv2d(3, inputs, 3, 2, 0, bias=False), nn.BatchNorm2d(inputs), nn.ReLU6(inplace=True)
        )
        widths, previous = [inputs], 1
        for index, (expansion, channels, count, stride, dilation) in enumerate(STAGES[: max(self.levels)], start=1):
            outputs = int(channels * width)
            first = dilation if dilation == previous else max(dilation // 2, 1)
            blocks = [InvertedResidual(inputs, outputs, stride, expansion, first)]
            blocks += [InvertedResidual(outputs, outputs, 1, expansion, dilation) for _ in range(count - 1)]
            self.add_module(f"layer{index}", nn.Sequential(*blocks))
            inputs, previous = outputs, dilation
            widths.append(outputs)
        self.channels = tuple(widths[level] for level in self.levels)

    def forward(self, x: Tensor) -> list[Tensor]:
        outputs = []
        for index in range(max(self.levels) + 1):
            x = self.get_submodule(f"layer{index}")(x)
            outputs.append(x)
        return [outputs[level] for level in self.levels]
