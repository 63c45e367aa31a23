"""MobileNetV3-small as NanoTrack v3 uses it: stride 16, 96 signed channels; key layout ``features.I.conv.J``."""

from __future__ import annotations

from torch import Tensor, nn

# kernel, expansion, channels, squeeze-and-excite, hard-swish, stride
BLOCKS = (
    (3, 1.0, 16, True, False, 2),
    (3, 4.5, 24, False, False, 2),
    (3, 3.67, 24, False, False, 1),
    (5, 4.0, 40, True, True, 2),
    (5, 6.0, 40, True, True, 1),
    (5, 6.0, 40, True, True, 1),
    (5, 3.0, 48, True, True, 1),
    (5, 3.0, 48, True, True, 1),
    (5, 6.0, 96, True, True, 1),
)


def _multiple_of_8(value: float) -> int:
    """The nearest multiple of 8 that is at least 8 and not more than a tenth below ``value``."""
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate of the channels' means."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = _multiple_of_8(channels // 4)
        self.fc = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, channels), nn.Hardsigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc(x.mean((2, 3)))[:, :, None, None]


class Block(nn.Module):
    """Inverted residual; the block without expansion applies squeeze-and-excite after its activation."""

    def __init__(
        self, inputs: int, hidden: int, outputs: int, kernel: int, stride: int, excite: bool, swish: bool
    ) -> None:
        super().__init__()
        self.residual = stride == 1 and inputs == outputs

        def activation() -> nn.Module:
            return nn.Hardswish() if swish else nn.ReLU()

        depthwise = nn.Conv2d(hidden, hidden, kernel, stride, (kernel - 1) // 2, groups=hidden, bias=False)
        gate: nn.Module = SqueezeExcite(hidden) if excite else nn.Identity()
        project = [nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        if inputs == hidden:
            layers = [depthwise, nn.BatchNorm2d(hidden), activation(), gate, *project]
        else:
            expand = [nn.Conv2d(inputs, hidden, 1, bias=False), nn.BatchNorm2d(hidden), activation()]
            layers = [*expand, depthwise, nn.BatchNorm2d(hidden), gate, activation(), *project]
        self.conv = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV3Small(nn.Module):
    """Nx3xHxW -> [Nx96xH/16xW/16]; 127 px -> 8, 255 px -> 16."""

    channels = (96,)

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish())
        layers: list[nn.Module] = [stem]
        inputs = 16
        for kernel, expansion, channels, excite, swish, stride in BLOCKS:
            hidden = _multiple_of_8(inputs * expansion)
            layers.append(Block(inputs, hidden, channels, kernel, stride, excite, swish))
            inputs = channels
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.features(x)]
