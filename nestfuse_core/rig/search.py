"""Where one picture may lie on another, without any guess: all scales, turns and shifts, at low resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.rig.features import Field, Mask, Matrix, View, orientation_field, warped
from nestfuse_core.rig.file import between, mapped_corners

WIDTH = 128
"""Of the visible picture, px, while everything is tried."""
SCALES = np.geomspace(0.45, 1.6, 25)
"""Width of what the thermal camera sees over that of what the visible one sees."""
TURNS = np.deg2rad(np.arange(-6, 6.1, 3))
OVERLAP = 0.45
"""Share of the smaller of both fields of view that both must see."""
PEAKS = 3
"""Places that are kept of each scale and turn."""
NEAR = 4
"""Distance in px of two places of one scale and turn."""
APART = 8
"""Mean distance of the corners in px from which on two places are different ones."""


@dataclass(frozen=True)
class Candidate:
    """A place of the thermal picture: 3x3 matrix between pixels of the level of the search, and its score."""

    matrix: Matrix
    score: float


def at_width(view: View, width: int) -> tuple[View, Matrix]:
    """The view resampled to a width, and the matrix from its pixels to the new ones."""
    size = width, max(1, round(view.size[1] * width / view.size[0]))
    matrix = between(view.size, size)
    return warped(view, matrix, size), matrix


def candidates(visible: Sequence[View], thermal: Sequence[View], count: int) -> list[Candidate]:
    """The best places of the thermal pictures on the visible ones.

    For every scale and turn, all shifts at once: the correlation of edge orientations, Re sum(v conj t), over what both
    see, as masked normalised correlation by FFT (Padfield, 2012), times the root of the common area; numerators and
    energies are summed over the pairs.

    Args:
        visible: the visible pictures, all of one size and `WIDTH` wide.
        thermal: their thermal partners, of any size.
        count: how many to return, best first, none within a few pixels of a better one.
    """
    fields = [orientation_field(view) for view in visible]
    stack, seen = stacked([field for field, _ in fields], [mask for _, mask in fields])
    width = seen.shape[1]
    found: list[Candidate] = []
    for scale in SCALES:
        size = _laid_out(thermal[0].size, scale * width, max(TURNS))[1]
        target = _Spectra(stack, seen, size)
        for turn in TURNS:
            laid, size = _laid_out(thermal[0].size, scale * width, turn)
            own = [orientation_field(warped(view, laid, size)) for view in thermal]
            score = target.correlated(*stacked([field for field, _ in own], [mask for _, mask in own]))
            for x, y, value in _peaks(score, seen.shape, size):
                move = np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])
                found.append(Candidate(move @ laid, value))
    return distinct(sorted(found, key=lambda c: -c.score), thermal[0].size, APART, count)


def distinct(ordered: Sequence[Candidate], size: tuple[int, int], apart: float, count: int) -> list[Candidate]:
    """Those that are ``apart`` px from all better ones, at the corners of a thermal picture of ``size``."""
    kept: list[tuple[Candidate, NDArray[np.float64]]] = []
    for candidate in ordered:
        corners = mapped_corners(candidate.matrix, size)
        if all(np.linalg.norm(corners - other, axis=1).mean() > apart for _, other in kept):
            kept.append((candidate, corners))
        if len(kept) == count:
            break
    return [candidate for candidate, _ in kept]


def _laid_out(size: tuple[int, int], width: float, turn: float) -> tuple[Matrix, tuple[int, int]]:
    """Scale a picture to a width, turn it, and move it to where its bounds begin at 0: the matrix and the bounds."""
    turned = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    matrix = turned @ between((1, 1), (width / size[0], width / size[0]))
    corners = mapped_corners(matrix, size)
    low = np.floor(corners.min(0))
    move = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]])
    high = np.ceil(corners.max(0) - low).astype(int)
    return move @ matrix, (int(high[0]), int(high[1]))


def stacked(fields: Sequence[Field], masks: Sequence[Mask]) -> tuple[Field, Mask]:
    """Fields of several moments as NxHxW, each without its mean, and where all of them are known.

    Level ground and upright walls are everywhere and say nothing about the place.
    """
    seen = np.logical_and.reduce(masks)
    means = [field[seen].mean() if seen.any() else 0 for field in fields]
    return np.stack([np.where(seen, field - mean, 0) for field, mean in zip(fields, means, strict=True)]), seen


class _Spectra:
    """The visible fields, ready to be correlated with thermal ones of up to ``size`` (width, height)."""

    def __init__(self, stack: Field, seen: Mask, size: tuple[int, int]) -> None:
        from scipy import fft

        # Shifts of little overlap may fold onto each other: they are left out.
        least = (OVERLAP * min(seen.shape[0], size[1]), OVERLAP * min(seen.shape[1], size[0]))
        self.shape = tuple(
            fft.next_fast_len(int(np.ceil(own + other - less)), real=True)
            for own, other, less in zip(seen.shape, size[::-1], least, strict=True)
        )
        self.area = seen.size
        self.parts = [(self._forward(field.real), self._forward(field.imag)) for field in stack]
        self.energy = self._forward((np.abs(stack) ** 2).sum(0))
        self.seen = self._forward(seen)

    def _forward(self, plane: NDArray) -> NDArray:
        from scipy import fft

        return fft.rfft2(plane.astype(np.float32), self.shape)

    def correlated(self, stack: Field, seen: Mask) -> NDArray:
        """Score of every shift, where negative ones are counted from the end; -1 where too little is common."""
        from scipy import fft

        cross = sum(
            real * np.conj(self._forward(field.real)) + imaginary * np.conj(self._forward(field.imag))
            for (real, imaginary), field in zip(self.parts, stack, strict=True)
        )
        own = np.conj(self._forward(seen))
        power = np.conj(self._forward((np.abs(stack) ** 2).sum(0)))
        value, visible, thermal, common = (
            fft.irfft2(part, self.shape) for part in (cross, self.energy * own, self.seen * power, self.seen * own)
        )
        enough = common > OVERLAP * min(self.area, int(np.count_nonzero(seen)))
        energies = np.clip(visible[enough], 0, None) * np.clip(thermal[enough], 0, None)
        score = np.full(self.shape, -1.0)
        score[enough] = value[enough] / np.sqrt(energies + 1e-6) * np.sqrt(common[enough] / self.area)
        return score


def _peaks(score: NDArray, visible: tuple[int, int], size: tuple[int, int]) -> list[tuple[int, int, float]]:
    """The best shifts of the thermal picture's corner, x, y and score."""
    score = score.copy()
    found = []
    for _ in range(PEAKS):
        row, column = (int(place) for place in np.unravel_index(int(score.argmax()), score.shape))
        value = float(score[row, column])
        if value <= 0:
            break
        # The far end of the circle is negative: less than the visible picture's size is never wrapped.
        x, y = (
            place if place < own else place - length
            for place, own, length in ((column, visible[1], score.shape[1]), (row, visible[0], score.shape[0]))
        )
        found.append((x, y, value))
        rows = np.arange(row - NEAR, row + NEAR + 1) % score.shape[0]
        columns = np.arange(column - NEAR, column + NEAR + 1) % score.shape[1]
        score[np.ix_(rows, columns)] = -1
    return found
