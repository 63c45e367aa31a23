"""The two training losses of NestFuse: the paper's and the released code's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

RANGE = 255.0
"""Images are 0..255."""
WINDOW = 11
SIGMA = 1.5
MS_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales of MS-SSIM (Wang, Simoncelli, Bovik, 2003), fine to coarse."""


class Loss(NamedTuple):
    """A scalar each: what is minimised, and its two parts without lambda."""

    total: Tensor
    pixel: Tensor
    ssim: Tensor


def _blur(images: Tensor, size: int) -> Tensor:
    """Gaussian-filter Nx1xHxW without padding: Nx1x(H-size+1)x(W-size+1)."""
    positions = torch.arange(size, dtype=images.dtype, device=images.device) - (size - 1) / 2
    kernel = torch.exp(-(positions**2) / (2 * SIGMA**2))
    kernel = kernel / kernel.sum()
    return F.conv2d(F.conv2d(images, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))


def ssim_parts(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return SSIM and its contrast-structure factor, each the mean over an image: N, N.

    11-tap Gaussian window of sigma 1.5, valid region, K1 = 0.01, K2 = 0.03 (Wang et al., 2004). Images smaller than
    the window get a smaller one.

    Args:
        first: Nx1xHxW, 0..255.
        second: the same.
    """
    size = min(WINDOW, *first.shape[-2:])
    n = len(first)
    blurred = _blur(torch.cat([first, second, first * first, second * second, first * second]), size)
    mean1, mean2, square1, square2, product = blurred.split(n)
    c1, c2 = (0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2
    contrast = (2 * (product - mean1 * mean2) + c2) / (square1 - mean1**2 + square2 - mean2**2 + c2)
    luminance = (2 * mean1 * mean2 + c1) / (mean1**2 + mean2**2 + c1)
    return (luminance * contrast).mean((1, 2, 3)), contrast.mean((1, 2, 3))


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """Return SSIM of each pair of Nx1xHxW images, 0..255: N."""
    return ssim_parts(first, second)[0]


def ms_ssim(first: Tensor, second: Tensor) -> Tensor:
    """Return MS-SSIM of each pair of Nx1xHxW images, 0..255: N.

    Product over five scales of the contrast-structure factor, and of SSIM at the coarsest, each to its exponent. The
    factors are cut at 1e-6: a negative one has no real power, and at 0 the power's gradient is infinite.
    """
    value = torch.ones(len(first), dtype=first.dtype, device=first.device)
    for scale, weight in enumerate(MS_WEIGHTS):
        full, contrast = ssim_parts(first, second)
        last = scale == len(MS_WEIGHTS) - 1
        value = value * (full if last else contrast).clamp_min(1e-6) ** weight
        if not last:
            first, second = F.avg_pool2d(first, 2), F.avg_pool2d(second, 2)
    return value


def _frobenius(outputs: Tensor, images: Tensor) -> Tensor:
    return (outputs - images).square().sum((1, 2, 3)).mean()


def _mean_square(outputs: Tensor, images: Tensor) -> Tensor:
    return F.mse_loss(outputs, images)


FORMS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    "paper": (_frobenius, ssim),
    "released": (_mean_square, ms_ssim),
}
"""By name: the pixel loss and the similarity of (outputs, images)."""


def reconstruction_loss(outputs: Sequence[Tensor], images: Tensor, form: str, weight: float) -> Loss:
    """Return pixel + weight (1 - similarity), averaged over the images and over the outputs (Eq. 12).

    ``paper``: squared Frobenius norm of each image's error, and SSIM. ``released``: mean squared error, and MS-SSIM.

    Args:
        outputs: one Nx1xHxW tensor, or one for each output under deep supervision; 0..255.
        images: Nx1xHxW, 0..255.
        form: ``paper`` or ``released``.
        weight: lambda.
    """
    pixel_loss, similarity = FORMS[form]
    wide = [output.float() for output in outputs]
    pixel = torch.stack([pixel_loss(output, images) for output in wide]).mean()
    unlike = torch.stack([1 - similarity(output, images).mean() for output in wide]).mean()
    return Loss(pixel + weight * unlike, pixel, unlike)
