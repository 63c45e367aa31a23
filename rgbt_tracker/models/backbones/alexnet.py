"""AlexNet without padding, in PySOT's two key layouts. Its output is signed: the last layer has no ReLU."""

from __future__ import annotations

from torch import Tensor, nn

CHANNELS = (3, 96, 256, 384, 384, 256)
KERNELS = (11, 5, 3, 3, 3)


def _stage(index: int) -> list[nn.Module]:
    """Convolution, batch norm, and pooling (stages 1-2) and ReLU (all but the last)."""
    stage: list[nn.Module] = [
        nn.Conv2d(CHANNELS[index], CHANNELS[index + 1], KERNELS[index], stride=2 if index == 0 else 1),
        nn.BatchNorm2d(CHANNELS[index + 1]),
    ]
    if index < 2:
        stage.append(nn.MaxPool2d(3, 2))
    if index < 4:
        stage.append(nn.ReLU(inplace=True))
    return stage


class AlexNetLegacy(nn.Module):
    """Nx3xHxW -> [Nx256xhxw]; 127 px -> 6, 287 px -> 26. Keys ``features.N``."""

    channels = (CHANNELS[-1],)

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(*(layer for index in range(5) for layer in _stage(index)))

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.features(x)]


class AlexNet(nn.Module):
    """The same network with keys ``layer1`` .. ``layer5``."""

    channels = (CHANNELS[-1],)

    def __init__(self) -> None:
        super().__init__()
        for index in range(5):
            self.add_module(f"layer{index + 1}", nn.Sequential(*_stage(index)))

    def forward(self, x: Tensor) -> list[Tensor]:
        for index in range(5):
            x = self.get_submodule(f"layer{index + 1}")(x)
        return [x]
