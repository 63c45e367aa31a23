"""Depthwise cross-correlation of search features with a template."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def depthwise_correlation(search: Tensor, kernel: Tensor, padding: int = 0) -> Tensor:
    """Correlate every channel of every sample with its own kernel.

    Args:
        search: (N, C, H, W).
        kernel: (N, C, h, w), or (1, C, h, w) for all samples.

    Returns:
        (N, C, H - h + 1 + 2 padding, W - w + 1 + 2 padding).
    """
    if torch.onnx.is_in_onnx_export():
        return _correlate_by_products(search, kernel, padding)
    kernel = kernel.expand(len(search), -1, -1, -1)
    if torch.is_grad_enabled() and (search.requires_grad or kernel.requires_grad):
        return _Correlation.apply(F.pad(search, (padding,) * 4) if padding else search, kernel)
    return _correlate(search, kernel, padding)


def _correlate(search: Tensor, kernel: Tensor, padding: int = 0) -> Tensor:
    batch, channels = search.shape[:2]
    kernel = kernel.reshape(batch * channels, 1, *kernel.shape[2:])
    out = F.conv2d(search.reshape(1, batch * channels, *search.shape[2:]), kernel, padding=padding, groups=len(kernel))
    return out.view(batch, channels, *out.shape[2:])


def _correlate_by_products(search: Tensor, kernel: Tensor, padding: int) -> Tensor:
    """The correlation as two matrix products a channel: an ONNX convolution has as many groups as it was exported with,
    but the number of samples may change.

    Row i of the result is the h rows of the padded search from i on, side by side, times a band matrix of the kernel's
    rows. The first product picks those rows: it takes three quarters of the time of slices that are put together.
    """
    (height, width), (h, w) = (tuple(int(side) for side in images.shape[2:]) for images in (search, kernel))
    rows, columns = height - h + 1 + 2 * padding, width - w + 1 + 2 * padding
    bands = torch.matmul(kernel, _shifts(w, width, columns, padding).reshape(w, -1))
    bands = bands.unflatten(3, (width, columns)).flatten(2, 3)
    picked = torch.matmul(_shifts(h, height, rows, padding).permute(2, 0, 1).reshape(-1, height), search)
    return torch.matmul(picked.unflatten(2, (rows, h)).flatten(3, 4), bands)


def _shifts(taps: int, length: int, results: int, padding: int) -> Tensor:
    """(taps, length, results): 1 where a result takes this value of a padded line with that tap, 0 elsewhere."""
    places = np.arange(taps)[:, None, None] + np.arange(results) - padding
    return torch.from_numpy((np.arange(length)[:, None] == places).astype(np.float32))


class _Correlation(torch.autograd.Function):
    """The correlation with both gradients as correlations again.

    torch's own backward of a convolution with N C groups is several times slower on a CPU
    (``benchmarks/speed/training.py``).
    """

    @staticmethod
    def forward(ctx: Any, search: Tensor, kernel: Tensor) -> Tensor:
        # Under autocast the two may differ in type: the convolution would have cast both.
        search = search.to(torch.promote_types(search.dtype, kernel.dtype))
        kernel = kernel.to(search.dtype)
        ctx.save_for_backward(search, kernel)
        return _correlate(search, kernel)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        search, kernel = ctx.saved_tensors
        h, w = kernel.shape[2:]
        by_search = by_kernel = None
        with torch.autocast(grad.device.type, enabled=False):
            grad = grad.to(search.dtype)
            if ctx.needs_input_grad[0]:
                # d/dsearch: the full correlation of the gradient with the kernel turned by 180 degrees
                by_search = _correlate(F.pad(grad, (w - 1, w - 1, h - 1, h - 1)), kernel.flip(2, 3))
            if ctx.needs_input_grad[1]:
                # d/dkernel: the search correlated with the gradient
                by_kernel = _correlate(search, grad)
        return by_search, by_kernel
