"""How well every block of the visible picture agrees with the thermal one, moved a little in every direction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.rig.features import Field, Mask

LEAST = 0.35
"""Share of a block that both cameras must see."""
FAINT = 0.03
"""Mean energy of a field, of 1, below which a block's correlation is drawn to 0: it shows nothing."""


@dataclass
class Blocks:
    """Correlations of blocks of the visible picture with the thermal one laid on it.

    Attributes:
        centers: (B, 2) x, y of their centres, px.
        surfaces: (B, D, D) float32 correlation -1 to 1 for shifts of the thermal picture from -reach to reach, down
            and across.
        reach: px.
        size: width and height of the picture.
    """

    centers: NDArray[Any]
    surfaces: NDArray[Any]
    reach: int
    size: tuple[int, int]
    _splines: dict[float, NDArray[Any]] = field(default_factory=dict, init=False, repr=False)

    @property
    def noise(self) -> float:
        """Standard deviation of the correlations, most of which are by chance; never 0."""
        return float(np.std(self.surfaces)) + 1e-3

    def part(self, chosen: NDArray) -> Blocks:
        """Some of the blocks, by index or flag."""
        return Blocks(self.centers[chosen], self.surfaces[chosen], self.reach, self.size)

    def at(self, moves: NDArray[Any], smooth: float = 0.0) -> tuple[NDArray[Any], NDArray[Any]]:
        """(B,) correlations at (B, 2) shifts x, y and their (B, 2) slopes; beyond the reach those at its end, and none.

        By the cubic B-spline through the surfaces, smoothed by a Gaussian of ``smooth`` px over the shifts.
        """
        places = np.clip(moves + self.reach, 0, 2 * self.reach)
        whole = np.minimum(places.astype(int), 2 * self.reach - 1)
        (across, across_slope), (down, down_slope) = (_spline_weights(part) for part in (places - whole).T)
        near = np.arange(4)
        block = np.arange(len(places))[:, None, None]
        around = self._filtered(smooth)[block, whole[:, 1, None, None] + near[:, None], whole[:, 0, None, None] + near]
        values = np.einsum("bij,bi,bj->b", around, down, across)
        slopes = [np.einsum("bij,bi,bj->b", around, *pair) for pair in ((down, across_slope), (down_slope, across))]
        return values, np.stack(slopes, 1) * (np.abs(moves) < self.reach)

    def _filtered(self, smooth: float) -> NDArray[Any]:
        """Spline coefficients of the surfaces, one more on every side."""
        from scipy import ndimage

        if smooth not in self._splines:
            plain = self.surfaces.astype(np.float64)
            if smooth:
                plain = ndimage.gaussian_filter(plain, (0, smooth, smooth), mode="nearest")
            for axis in (1, 2):
                plain = ndimage.spline_filter1d(plain, 3, axis, mode="mirror")
            self._splines[smooth] = np.pad(plain, ((0, 0), (1, 1), (1, 1)), mode="reflect")
        return self._splines[smooth]


def _spline_weights(t: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """(N, 4) weights of a cubic B-spline's coefficients around ``t`` (N,), 0 to 1 from the second, and their slopes."""
    rest = 1 - t
    weights = [rest**3, 3 * t**3 - 6 * t**2 + 4, 3 * rest**3 - 6 * rest**2 + 4, t**3]
    slopes = [-(rest**2), 3 * t**2 - 4 * t, 4 * rest - 3 * rest**2, t**2]
    return np.stack(weights, 1) / 6, np.stack(slopes, 1) / 2


def correlate_blocks(
    visible: Field, seen: Mask, thermal: Field, own: Mask, reach: int, grid: tuple[int, int]
) -> Blocks:
    """Correlate block by block, over all shifts.

    Args:
        visible, thermal: NxHxW fields of N moments, the thermal ones laid on the visible ones.
        seen, own: HxW, where they are known.
        reach: largest shift tried, px.
        grid: number of blocks across and down.
    """
    height, width = seen.shape
    # A block's sum is a product with one matrix for the rows and one for the columns.
    rows_of, columns_of = _summing(grid[1], height), _summing(grid[0], width).T
    parts_v = np.concatenate([visible.real, visible.imag]).astype(np.float32)
    parts_t = np.concatenate([thermal.real, thermal.imag]).astype(np.float32)
    energy_v, seen_f = (parts_v**2).sum(0), seen.astype(np.float32)
    around = ((reach, reach), (reach, reach))
    parts_t = np.pad(parts_t, ((0, 0), *around))
    energy_t, own_f = (parts_t**2).sum(0), np.pad(own.astype(np.float32), around)
    side = 2 * reach + 1
    surfaces = np.zeros((grid[1], grid[0], side, side), np.float32)
    for down in range(side):
        for across in range(side):
            place = np.s_[2 * reach - down :, 2 * reach - across :]
            place = np.s_[place[0].start : place[0].start + height, place[1].start : place[1].start + width]
            known = own_f[place]
            cross = np.einsum("nhw,nhw->hw", parts_v, parts_t[:, place[0], place[1]])
            value, first, second, both = (
                rows_of @ plane @ columns_of
                for plane in (cross, energy_v * known, energy_t[place] * seen_f, seen_f * known)
            )
            energy = np.sqrt(np.clip(first, 0, None) * np.clip(second, 0, None))
            surfaces[:, :, down, across] = np.where(both > LEAST, value / (energy + FAINT * len(visible)), 0)
    xs, ys = ((np.arange(n) + 0.5) * length / n - 0.5 for n, length in zip(grid, (width, height), strict=True))
    centers = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)
    flat = surfaces.reshape(-1, side, side)
    whole = np.abs(flat).max((1, 2)) > 0
    return Blocks(centers[whole], flat[whole], reach, (width, height))


def _summing(parts: int, length: int) -> NDArray[Any]:
    """(parts, length) matrix that averages equal stretches of a line."""
    which = np.arange(length) * parts // length
    matrix = (which == np.arange(parts)[:, None]).astype(np.float32)
    return matrix / matrix.sum(1, keepdims=True)
