"""Metrics written as plainly as their definitions, window by window: what the fast ones are measured against."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate

Array = NDArray[np.float64]


def _probabilities(window: Array) -> list[float]:
    values = [float(v) for v in window.ravel(order="F")]
    low, high = min(values), max(values)
    scaled = [1.0] * len(values) if high == low else [(v - low) / (high - low) for v in values]
    return [v / sum(scaled) for v in scaled]


def _spread(p: list[float]) -> float:
    mean = sum((i + 1) * v for i, v in enumerate(p))
    return math.sqrt(sum((i + 1 - mean) ** 2 * v for i, v in enumerate(p)))


def _pearson(p: list[float], q: list[float]) -> float:
    mean_p, mean_q = sum(p) / len(p), sum(q) / len(q)
    covariance = sum((a - mean_p) * (b - mean_q) for a, b in zip(p, q, strict=True))
    scale = sum((a - mean_p) ** 2 for a in p) * sum((b - mean_q) ** 2 for b in q)
    return covariance / math.sqrt(scale) if scale > 0 else 0.0


def _entropy(values: list[float]) -> float:
    return -sum(v * math.log2(abs(v)) for v in values if v != 0)


def window_score(source: Array, fused: Array) -> float:
    """One 3x3 window, by the bound M on the joint distribution function and its second differences."""
    if np.array_equal(source, fused):
        return 1.0
    p, q = _probabilities(source), _probabilities(fused)
    n = len(p)
    cdf_p, cdf_q = [sum(p[: i + 1]) for i in range(n)], [sum(q[: i + 1]) for i in range(n)]
    c = _pearson(p, q)
    bound = [[0.0] * (n + 1) for _ in range(n + 1)]
    for i in range(n):
        for j in range(n):
            bound[i + 1][j + 1] = min(cdf_q[i], cdf_p[j]) if c >= 0 else max(cdf_q[i] + cdf_p[j] - 1, 0.0)
    excess = sum(bound[i + 1][j + 1] - cdf_q[i] * cdf_p[j] for i in range(n) for j in range(n))
    phi = c * _spread(p) * _spread(q) / excess if abs(excess) > 1e-14 else 0.0
    joint = []
    for i in range(n):
        for j in range(n):
            mass = bound[i + 1][j + 1] - bound[i][j + 1] - bound[i + 1][j] + bound[i][j]
            joint.append(phi * mass + (1 - phi) * q[i] * p[j])
    total = _entropy(p) + _entropy(q)
    return 2 * (total - _entropy(joint)) / total if total > 0 else 0.0


def feature_mutual_information(a: Array, b: Array, fused: Array) -> float:
    """Mean over both sources and all windows."""
    height, width = fused.shape
    scores = [
        window_score(source[y : y + 3, x : x + 3], fused[y : y + 3, x : x + 3])
        for source in (a, b)
        for y in range(height - 2)
        for x in range(width - 2)
    ]
    return sum(scores) / len(scores)


def visual_information_fidelity(reference: Array, distorted: Array) -> float:
    """Wavelet-domain VIF on pyrtools' pyramid, block by block."""
    import pyrtools

    pyramids = [
        pyrtools.pyramids.SteerablePyramidSpace(image, height=4, order=5, edge_type="reflect1").pyr_coeffs
        for image in (reference, distorted)
    ]
    kept = held = 0.0
    for level in range(4):
        for band in (0, 3):
            original, test = (p[(level, band)] for p in pyramids)
            n, d = _band_information(original, test, 2 ** (4 - level) + 1)
            kept, held = kept + n, held + d
    return kept / held


def _band_information(original: Array, test: Array, size: int) -> tuple[float, float]:
    height, width = original.shape[0] // 3 * 3, original.shape[1] // 3 * 3
    original, test = original[:height, :width], test[:height, :width]
    every = [original[y : y + 3, x : x + 3].ravel() for y in range(height - 2) for x in range(width - 2)]
    covariance = np.cov(np.array(every).T, bias=True)
    eigenvalues = np.linalg.eigvalsh(covariance)
    window = np.ones((size, size)) / size**2
    means = {
        name: correlate(values, window, mode="mirror")
        for name, values in {"x": original, "y": test, "xy": original * test, "xx": original**2, "yy": test**2}.items()
    }
    margin = math.ceil((size - 1) / 2 / 3)
    kept = held = 0.0
    for row in range(margin, height // 3 - margin):
        for column in range(margin, width // 3 - margin):
            y, x = 3 * row + 1, 3 * column + 1
            block = original[y - 1 : y + 2, x - 1 : x + 2].ravel()
            strength = block @ np.linalg.solve(covariance, block) / 9
            m = {name: values[y, x] for name, values in means.items()}
            var_x, var_y, cov = m["xx"] - m["x"] ** 2, m["yy"] - m["y"] ** 2, m["xy"] - m["x"] * m["y"]
            gain = cov / var_x
            noise = var_y - gain * cov
            if gain < 0:
                # The released code puts the window's energy, not its variance, here.
                gain, noise = 0.0, var_y * size**2
            for eigenvalue in eigenvalues:
                kept += math.log2(1 + gain**2 * strength * eigenvalue / (noise + 0.4))
                held += math.log2(1 + strength * eigenvalue / 0.4)
    return kept, held


def spatial_frequency(image: Array) -> float:
    """Root of the mean square differences of neighbours, in rows plus in columns, in grey levels."""
    height, width = image.shape
    rows = [(255 * (image[y, x] - image[y, x - 1])) ** 2 for y in range(height) for x in range(1, width)]
    columns = [(255 * (image[y, x] - image[y - 1, x])) ** 2 for y in range(1, height) for x in range(width)]
    return math.sqrt(sum(rows) / len(rows) + sum(columns) / len(columns))


def average_gradient(image: Array) -> float:
    """Mean over the pixels that have a neighbour to the right and below."""
    height, width = image.shape
    total = 0.0
    for y in range(height - 1):
        for x in range(width - 1):
            dx, dy = 255 * (image[y, x + 1] - image[y, x]), 255 * (image[y + 1, x] - image[y, x])
            total += math.sqrt((dx * dx + dy * dy) / 2)
    return total / ((height - 1) * (width - 1))


def _edge(image: Array, y: int, x: int) -> tuple[float, float]:
    def at(row: int, column: int) -> float:
        inside = 0 <= row < image.shape[0] and 0 <= column < image.shape[1]
        return 255 * float(image[row, column]) if inside else 0.0

    across = at(y - 1, x - 1) + 2 * at(y, x - 1) + at(y + 1, x - 1) - at(y - 1, x + 1) - 2 * at(y, x + 1)
    across -= at(y + 1, x + 1)
    down = at(y - 1, x - 1) + 2 * at(y - 1, x) + at(y - 1, x + 1) - at(y + 1, x - 1) - 2 * at(y + 1, x)
    down -= at(y + 1, x + 1)
    return math.hypot(across, down), math.pi / 2 if abs(across) < 1e-6 else math.atan(down / across)


def edge_preservation(a: Array, b: Array, fused: Array) -> float:
    """Xydeas' and Petrovic's Qabf, pixel by pixel."""
    kept = total = 0.0
    for y in range(fused.shape[0]):
        for x in range(fused.shape[1]):
            strength, angle = _edge(fused, y, x)
            for source in (a, b):
                of_source, its_angle = _edge(source, y, x)
                larger = max(of_source, strength)
                ratio = min(of_source, strength) / larger if larger > 0 else 0.0
                alike = 1 - abs(its_angle - angle) / (math.pi / 2)
                strength_kept = 0.9994 / (1 + math.exp(-15 * (ratio - 0.5)))
                angle_kept = 0.9879 / (1 + math.exp(-22 * (alike - 0.8)))
                kept += strength_kept * angle_kept * of_source
                total += of_source
    return kept / total
