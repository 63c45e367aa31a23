"""NanoTrack v3's anchor-free head; keys as in its checkpoint (``ban_head.``)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rgbt_tracker.models.heads import Kernels
from rgbt_tracker.models.heads.correlation import depthwise_correlation

TOWER = 6


def _pointwise(inputs: int, outputs: int, bias: bool = True) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=bias), nn.BatchNorm2d(outputs))


class DepthwiseBranch(nn.Module):
    """Depthwise correlation with the centre 4x4 of the template, padding 1: 16x16 -> 15x15."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_kernel = _pointwise(channels, channels)
        self.conv_search = _pointwise(channels, channels)

    def kernel(self, template: Tensor) -> Tensor:
        return self.conv_kernel(template[..., 2:6, 2:6])

    def forward(self, kernel: Tensor, search: Tensor) -> Tensor:
        return depthwise_correlation(self.conv_search(search), kernel, padding=1)


class ChannelAttention(nn.Module):
    """Gate the 64 correlation channels by their means."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels, 1)
        self.fc2 = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class PixelwiseBranch(nn.Module):
    """Every one of the template's 8x8 = 64 pixels as a 1x1 kernel: 16x16 -> 64 channels 15x15."""

    PIXELS = 64

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_kernel = _pointwise(channels, channels)
        self.conv_search = _pointwise(channels, channels)
        self.CA_layer = ChannelAttention(self.PIXELS)
        self.conv = nn.Sequential(
            nn.Conv2d(self.PIXELS, self.PIXELS, 2, groups=self.PIXELS, bias=False),
            nn.BatchNorm2d(self.PIXELS),
            nn.ReLU6(inplace=True),
            *_pointwise(self.PIXELS, self.PIXELS),
        )

    def kernel(self, template: Tensor) -> Tensor:
        return self.conv_kernel(template).flatten(2).transpose(1, 2)

    def forward(self, kernel: Tensor, search: Tensor) -> Tensor:
        search = self.conv_search(search)
        response = torch.matmul(kernel, search.flatten(2))
        return self.conv(self.CA_layer(response.unflatten(2, search.shape[2:])))


class BanHead(nn.Module):
    """cls (N, 2, 15, 15): background, target; loc (N, 4, 15, 15): px to the left, top, right and bottom edge."""

    def __init__(self, channels: int = 96) -> None:
        super().__init__()
        for branch, outputs, last in (("cls", 2, "cls_logits"), ("reg", 4, "bbox_pred")):
            self.add_module(f"corr_dw_{branch}", DepthwiseBranch(channels))
            self.add_module(f"corr_pw_{branch}", PixelwiseBranch(channels))
            self.add_module(f"down_{branch}", nn.Sequential(nn.Conv2d(channels + PixelwiseBranch.PIXELS, channels, 1)))
            self.add_module("cls_tower" if branch == "cls" else "bbox_tower", self._tower(channels))
            self.add_module(last, nn.Sequential(nn.Conv2d(channels, outputs, 1)))

    @staticmethod
    def _tower(channels: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for _ in range(TOWER):
            layers += [
                nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU6(inplace=True),
                nn.Conv2d(channels, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
            ]
        return nn.Sequential(*layers)

    def prepare(self, template: list[Tensor]) -> Kernels:
        """Template features -> the pixelwise and the depthwise kernel of ``cls``, then of ``reg``."""
        return tuple(
            self.get_submodule(f"corr_{kind}_{branch}").kernel(template[0])  # type: ignore[operator]
            for branch in ("cls", "reg")
            for kind in ("pw", "dw")
        )

    def forward(self, kernels: Kernels, search: list[Tensor]) -> tuple[Tensor, Tensor]:
        def branch(name: str, kernels: Kernels, tower: str, last: str) -> Tensor:
            pixelwise, depthwise = (
                self.get_submodule(f"corr_{kind}_{name}")(kernel, search[0])
                for kind, kernel in zip(("pw", "dw"), kernels, strict=True)
            )
            x = self.get_submodule(f"down_{name}")(torch.cat([pixelwise, depthwise], 1))
            return self.get_submodule(last)(self.get_submodule(tower)(x))

        cls = branch("cls", kernels[:2], "cls_tower", "cls_logits")
        return cls, branch("reg", kernels[2:], "bbox_tower", "bbox_pred").exp()
