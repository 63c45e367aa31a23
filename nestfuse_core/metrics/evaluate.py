"""One call for all metrics, as the paper computed them or as the literature defines them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.metrics import fmi, information, sharpness
from nestfuse_core.metrics.similarity import structural_similarity
from nestfuse_core.metrics.vif import SMALLEST, visual_information_fidelity

PAPER_METRICS = ("En", "SD", "MI", "FMI_dct", "FMI_w", "SSIM", "VIF")
"""The seven of the NestFuse paper."""
METRICS = (*PAPER_METRICS, "SF", "AG", "Qabf")
PRESETS = ("paper", "standard")

Image = NDArray[np.generic]
Array = NDArray[np.float64]


def evaluate(ir: Image, vis: Image, fused: Image, preset: str = "paper", *, taps: int = 102) -> dict[str, float]:
    """Score a fused image against its two sources; higher is better for every metric.

    Args:
        ir, vis, fused: HxW or HxWx3 (BGR, reduced to luminance); uint8, uint16, or floating point in [0, 1];
            all of one size, at least 65x65 (the coarsest level of VIF's pyramid needs it).
        preset: ``"paper"`` reproduces the published tables, quirks included: SD without 1/N on [0, 1], MI = 2 En,
            VIF on [0, 1]. ``"standard"`` gives SD on 0..255, mutual information in bits, VIF on 0..255.
            All others are the same in both.
        taps: length of the ``dmey`` filter of FMI_w: 102 as in MATLAB, or 62 as in PyWavelets.

    Returns:
        En (bits), SD, MI (bits), FMI_dct, FMI_w, SSIM (the paper's SSIM_a), VIF, the paper's seven; then SF and AG
        (grey levels) and Qabf. In this order.

    Raises:
        UserError: unknown preset, sizes that differ, images too small, or values out of range.
    """
    if preset not in PRESETS:
        raise UserError(f"Unknown preset '{preset}'; expected one of {', '.join(PRESETS)}{suggestion(preset, PRESETS)}")
    images = _checked(ir, vis, fused)
    return _in_order(_common(*images, taps) | _of_preset(*images, preset))


def evaluate_both(ir: Image, vis: Image, fused: Image) -> dict[str, float]:
    """Score by both presets at once: `METRICS` by ``paper``, then ``SD_standard``, ``MI_standard``, ``VIF_standard``.

    Arguments and errors as for `evaluate`.
    """
    images = _checked(ir, vis, fused)
    standard = {f"{name}_standard": value for name, value in _of_preset(*images, "standard").items()}
    return _in_order(_common(*images, 102) | _of_preset(*images, "paper")) | standard


def _in_order(scores: dict[str, float]) -> dict[str, float]:
    return {name: scores[name] for name in METRICS}


def _checked(ir: Image, vis: Image, fused: Image) -> tuple[Array, Array, Array]:
    a, b, f = unit_range(ir, "infrared"), unit_range(vis, "visible"), unit_range(fused, "fused")
    _check_sizes(a, b, f)
    return a, b, f


def _of_preset(a: Array, b: Array, f: Array, preset: str) -> dict[str, float]:
    """The metrics that the presets define differently."""
    if preset == "paper":
        deviation, mutual, peak = information.root_sum_of_squares(f), 2 * information.entropy(f), 1.0
    else:
        deviation = 255 * float(f.std())
        mutual = information.mutual_information(a, f) + information.mutual_information(b, f)
        peak = 255.0
    vif = float(np.mean(visual_information_fidelity([a * peak, b * peak], f * peak)))
    return {"SD": deviation, "MI": mutual, "VIF": vif}


def _common(a: Array, b: Array, f: Array, taps: int) -> dict[str, float]:
    """The metrics that both presets share."""
    dct = [fmi.dct_feature(image) for image in (a, b, f)]
    wavelet = [fmi.wavelet_feature(image, taps) for image in (a, b, f)]
    return {
        "En": information.entropy(f),
        "FMI_dct": fmi.feature_mutual_information(*dct),
        "FMI_w": fmi.feature_mutual_information(*wavelet),
        "SSIM": (structural_similarity(a, f) + structural_similarity(b, f)) / 2,
        "SF": sharpness.spatial_frequency(f),
        "AG": sharpness.average_gradient(f),
        "Qabf": sharpness.edge_preservation(a, b, f),
    }


def unit_range(image: Image, name: str = "image") -> Array:
    """Return the luminance of an image as HxW float64 in [0, 1].

    Raises:
        UserError: not HxW or HxWx3, an unexpected data type, or floating-point values outside [0, 1].
    """
    values = np.asarray(image)
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] != 3):
        raise UserError(f"Expected the {name} image as HxW or HxWx3, got an array of shape {values.shape}.")
    if values.dtype in (np.uint8, np.uint16):
        scaled = values.astype(np.float64) / (255 if values.dtype == np.uint8 else 65535)
    elif np.issubdtype(values.dtype, np.floating):
        scaled = values.astype(np.float64)
        if not (np.isfinite(scaled).all() and scaled.min() >= 0 and scaled.max() <= 1):
            raise UserError(
                f"Expected floating-point values of the {name} image in [0, 1], "
                f"got {scaled.min():g} to {scaled.max():g}; divide by 255 or pass uint8."
            )
    else:
        raise UserError(f"Expected the {name} image as uint8, uint16 or floating point, got {values.dtype}.")
    return scaled if scaled.ndim == 2 else scaled @ np.array([0.114, 0.587, 0.299])


def _check_sizes(a: Array, b: Array, f: Array) -> None:
    if not a.shape == b.shape == f.shape:
        sizes = ", ".join(
            f"{name} {i.shape[1]}x{i.shape[0]}" for name, i in (("infrared", a), ("visible", b), ("fused", f))
        )
        raise UserError(f"Expected three images of one size, got {sizes}; resize them first.")
    if min(f.shape) < SMALLEST:
        raise UserError(
            f"Expected images of at least {SMALLEST}x{SMALLEST} pixels (VIF needs it), got {f.shape[1]}x{f.shape[0]}."
        )
