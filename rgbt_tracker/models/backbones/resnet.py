"""ResNet with dilated last stages, as SiamRPN++ changes it: stride 8 throughout, no padding in strided 3x3 layers.

Key names are torchvision's; the weights are not interchangeable, since the shortcuts of stages 2-4 are 3x3 here.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


def _conv3x3(inputs: int, outputs: int, stride: int = 1, padding: int = 1, dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding, dilation, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions (ResNet-18 and 34). The first block of a dilated stage halves its first dilation."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int, dilation: int, shortcut: nn.Module | None) -> None:
        super().__init__()
        first = dilation // 2 if shortcut is not None and dilation > 1 else dilation
        padding = first if dilation > 1 else 2 - stride
        self.conv1 = _conv3x3(inputs, width, stride, padding, first)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv3x3(width, width, 1, dilation, dilation)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(x)) + identity)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 (ResNet-50). The first block of a dilated stage halves its dilation."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, dilation: int, shortcut: nn.Module | None) -> None:
        super().__init__()
        if shortcut is not None and dilation > 1:
            dilation, padding = dilation // 2, dilation // 2
        else:
            padding = dilation if dilation > 1 else 2 - stride
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv3x3(width, width, stride, padding, dilation)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + identity)


class ResNet(nn.Module):
    """Nx3xHxW -> the outputs of ``levels`` (0: stem before pooling, 1-4: stages); 127 px -> 15, 255 px -> 31 at 2-4.

    Stages above the highest level in use are left out, parameters included.
    """

    STRIDES_DILATIONS = ((1, 1), (2, 1), (1, 2), (1, 4))

    def __init__(
        self, block: type[BasicBlock] | type[Bottleneck], counts: Sequence[int], levels: Sequence[int]
    ) -> None:
        super().__init__()
        self.levels = tuple(levels)
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 0, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs, widths = 64, [64]
        for stage, (count, (stride, dilation)) in enumerate(zip(counts, self.STRIDES_DILATIONS, strict=True), start=1):
            if stage > max(2, *self.levels):
                break
            width = 64 * 2 ** (stage - 1)
            self.add_module(f"layer{stage}", self._stage(block, inputs, width, count, stride, dilation))
            inputs = width * block.expansion
            widths.append(inputs)
        self.stages = len(widths) - 1
        self.channels = tuple(widths[level] for level in self.levels)

    @staticmethod
    def _stage(
        block: type[BasicBlock] | type[Bottleneck], inputs: int, width: int, count: int, stride: int, dilation: int
    ) -> nn.Sequential:
        outputs = width * block.expansion
        shortcut: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            if stride == 1 and dilation == 1:
                convolution = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            else:
                halved = max(dilation // 2, 1)
                convolution = _conv3x3(inputs, outputs, stride, halved if dilation > 1 else 0, halved)
            shortcut = nn.Sequential(convolution, nn.BatchNorm2d(outputs))
        first = block(inputs, width, stride, dilation, shortcut)
        return nn.Sequential(first, *(block(outputs, width, 1, dilation, None) for _ in range(count - 1)))

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.relu(self.bn1(self.conv1(x)))
        outputs = [x]
        x = self.maxpool(x)
        for stage in range(1, self.stages + 1):
            x = self.get_submodule(f"layer{stage}")(x)
            outputs.append(x)
        return [outputs[level] for level in self.levels]
