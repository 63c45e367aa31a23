"""The network's encoder and decoder for inference: the same numbers with a fraction of the memory traffic.

Most of the time of a plain forward pass on a CPU goes into moving features: concatenating up to 304 channels at full
resolution, padding them, upsampling. Three identities avoid it:

- a convolution of concatenated features is the sum of convolutions of each, so nothing is concatenated, and all blocks
  that use a feature take their share of it at once, after which it can go;
- reflection padding concerns the outermost pixels only: the convolution pads with zeros, and its border is computed
  again from narrow strips;
- a 3x3 convolution of a picture enlarged by 2 (nearest) is four 2x2 convolutions of the picture itself, one for each
  of the four pixels that a pixel becomes (reflection at the border becomes repetition there).

The tests hold the result to the network's own. Exported graphs (`nestfuse_core.export`) are traced from here.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nestfuse_core.model.network import DenseBlock, NestFuse, halve


def reflect_conv(features: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolve NxCxHxW with 3x3 or 1x1 taps and reflection at the borders; sides of one pixel are repeated."""
    if weight.shape[-1] == 1:
        return F.conv2d(features, weight, bias)
    if min(features.shape[-2:]) < 2:
        return F.conv2d(_mirrored(features), weight, bias)
    # A graph has no writing in place, and on a GPU starting many small operations costs more than a padded copy.
    if torch.onnx.is_in_onnx_export() or features.is_cuda:
        return F.conv2d(F.pad(features, (1, 1, 1, 1), mode="reflect"), weight, bias)
    result = F.conv2d(features, weight, bias, padding=1)
    for edge, inner in ((0, 1), (-1, -2)):
        row = torch.stack([features[..., inner, :], features[..., edge, :], features[..., inner, :]], dim=-2)
        result[..., edge, :] = F.conv2d(F.pad(row, (1, 1, 0, 0), mode="reflect"), weight, bias)[..., 0, :]
        column = torch.stack([features[..., inner], features[..., edge], features[..., inner]], dim=-1)
        result[..., edge] = F.conv2d(F.pad(column, (0, 0, 1, 1), mode="reflect"), weight, bias)[..., 0]
    return result


def _mirrored(features: Tensor) -> Tensor:
    """Pad NxCxHxW by one pixel of reflection; sides of one pixel are repeated."""
    wide = torch.cat([features[..., :2][..., -1:], features, features[..., -2:][..., :1]], -1)
    return torch.cat([wide[..., :2, :][..., -1:, :], wide, wide[..., -2:, :][..., :1, :]], -2)


def enlarged_conv(features: Tensor, weight: Tensor, size: tuple[int, int]) -> Tensor:
    """Enlarge NxCxHxW by 2 (nearest; a last odd row or column repeats), then convolve with 3x3 taps and reflection.

    Args:
        features: at half the resolution.
        weight: OxCx3x3.
        size: height and width of the result, 2H or 2H + 1 each; or 1 where the small picture has 1 too.
    """
    quarters = [(y, x) for y in (0, 1) for x in (0, 1)]
    taps = torch.cat([_fold(_fold(weight, y, -2), x, -1) for y, x in quarters])
    height, width = features.shape[-2:]
    if torch.onnx.is_in_onnx_export():  # whose sides are not known
        right = bottom = 2
    else:
        right, bottom = 1 + max(0, size[1] - 2 * width), 1 + max(0, size[0] - 2 * height)
    padded = F.pad(features, (1, right, 1, bottom), mode="replicate")
    found = F.conv2d(padded, taps).chunk(4, 1)
    # The pixels that come second in a small one begin a row or column later.
    placed = [part[..., y : y - 1 or None, x : x - 1 or None] for part, (y, x) in zip(found, quarters, strict=True)]
    return F.pixel_shuffle(torch.stack(placed, 2).flatten(1, 2), 2)[..., : size[0], : size[1]]


def _fold(weight: Tensor, second: int, dim: int) -> Tensor:
    """Taps along ``dim`` on the small picture for the first or ``second`` pixel that one of it becomes: 3 -> 2."""
    first, middle, last = weight.split(1, dim)
    return torch.cat([first + middle, last] if second else [first, middle + last], dim)


def encode(network: NestFuse, images: Tensor) -> list[Tensor]:
    """``network.encode``: Nx1xHxW -> features of four scales."""
    layer = network.conv0.conv2d
    features = [_block(network.DB1_0, reflect_conv(images, layer.weight, layer.bias).relu_())]
    for block in (network.DB2_0, network.DB3_0, network.DB4_0):
        features.append(_block(block, halve(features[-1])))
    return features


def decode(network: NestFuse, features: list[Tensor]) -> Tensor:
    """``network.decode``: features of four scales -> Nx1xHxW of ``network.output``. Empties ``features``."""
    head = getattr(network, network.output_names[network.output]).conv2d
    depth = range(3)[network.output] if network.deep_supervision else 2
    e4, e3, e2, e1 = (features.pop() for _ in range(4))
    d31 = _close(network.DB3_1, _share(e3, [network.DB3_1])[0], e4)
    s21, s22 = _share(e2, [network.DB2_1, network.DB2_2])
    d21 = _close(network.DB2_1, s21, e3)
    s22 += _share(d21, [network.DB2_2], int(e2.shape[1]))[0]
    s11, s12, s13 = _share(e1, [network.DB1_1, network.DB1_2, network.DB1_3])
    width = int(e1.shape[1])
    del e1, e3, e4
    node = _close(network.DB1_1, s11, e2)
    if depth == 0:
        return F.conv2d(node, head.weight, head.bias).relu_()
    del s11, e2
    s12, s13 = (
        s + more for s, more in zip((s12, s13), _share(node, [network.DB1_2, network.DB1_3], width), strict=True)
    )
    node = _close(network.DB1_2, s12, d21)
    if depth == 1:
        return F.conv2d(node, head.weight, head.bias).relu_()
    del s12, d21
    s13 += _share(node, [network.DB1_3], 2 * width)[0]
    del node
    node = _close(network.DB1_3, s13, _close(network.DB2_2, s22, d31))
    return F.conv2d(node, head.weight, head.bias).relu_()


def _convs(block: DenseBlock) -> tuple[nn.Conv2d, nn.Conv2d]:
    first, second = block.denseblock
    return first.conv2d, second.conv2d  # type: ignore[return-value]


def _block(block: DenseBlock, features: Tensor) -> Tensor:
    first, second = _convs(block)
    middle = reflect_conv(features, first.weight, first.bias).relu_()
    return reflect_conv(middle, second.weight, second.bias).relu_()


def _share(features: Tensor, blocks: list[DenseBlock], offset: int = 0) -> list[Tensor]:
    """What ``features``, which come from channel ``offset`` on, add to the first convolution of each of ``blocks``."""
    end = offset + int(features.shape[1])  # a number, also while a graph is traced
    weights = [_convs(block)[0].weight[:, offset:end] for block in blocks]
    result = reflect_conv(features, torch.cat(weights))
    return list(result.split([int(weight.shape[0]) for weight in weights], dim=1))


def _close(block: DenseBlock, sums: Tensor, below: Tensor) -> Tensor:
    """Add the enlarged features of the scale below, which come last in a block's input, and finish the block."""
    first, second = _convs(block)
    sums = sums + enlarged_conv(below, first.weight[:, -int(below.shape[1]) :], (sums.shape[-2], sums.shape[-1]))
    sums += _column(first.bias)
    return reflect_conv(sums.relu_(), second.weight, second.bias).relu_()


def _column(bias: Tensor | None) -> Tensor:
    assert bias is not None
    return bias[:, None, None]
