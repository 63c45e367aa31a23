"""How the thermal picture lies on the visible one: found from their edges, refined, and doubted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nestfuse_core.rig.blocks import Blocks, correlate_blocks
from nestfuse_core.rig.features import Matrix, View, motion_fields, orientation_field, warped
from nestfuse_core.rig.file import between, mapped_corners
from nestfuse_core.rig.fit import DEPTH, HOMOGRAPHY, SIMILARITY, Fit, fit_blocks, held_out_gain
from nestfuse_core.rig.search import WIDTH, Candidate, at_width, candidates, distinct, stacked

UNIT = 640
"""Width of a visible picture in whose px errors are told."""
PLACES = 6
"""Candidates of the search that are looked at more closely."""
APART = 24
"""Mean distance of the corners from which on two answers are different ones, px of `UNIT`."""
GAIN = 4.0
"""So many standard errors must a homography do better than a similarity, in blocks it was not fitted to."""


CLEAR, RIVAL, HALVES, SPREAD = 10.0, 0.8, 9.0, 4.0
"""What an answer is believed from and up to: clearness; clearness of a rival over its own; px of `UNIT`, twice."""


@dataclass(frozen=True)
class Level:
    """One step from coarse to fine: width of the visible picture, largest shift tried (px), blocks across and down."""

    width: int
    reach: int
    grid: tuple[int, int]


COARSE, MIDDLE, FINE = Level(160, 8, (8, 6)), Level(320, 6, (10, 8)), Level(UNIT, 4, (14, 10))


@dataclass(frozen=True)
class Evidence:
    """What speaks for an answer.

    Attributes:
        agreement: mean correlation of the blocks' edges, -1 to 1.
        clearness: the same over the noise of its mean: how far it stands out of chance.
        rival: clearness of the best other place over that of this one.
        halves: how far two halves of the picture (and of the frames) differ at the corners, px of `UNIT`.
        spread: expected error at the corners, px of `UNIT`.
        blocks: number of blocks that both cameras see.
        common: share of the visible picture that the thermal one covers.
    """

    agreement: float
    clearness: float
    rival: float
    halves: float
    spread: float
    blocks: int
    common: float

    def doubts(self) -> list[str]:
        """Why the answer is not to be believed; empty where it is."""
        found = []
        if self.clearness < CLEAR:
            found.append(
                f"the edges of both hardly agree better than by chance ({self.clearness:.1f}, {CLEAR} is needed)"
            )
        if self.rival > RIVAL:
            found.append(f"another place fits nearly as well ({100 * self.rival:.0f} % of the agreement)")
        if self.halves > HALVES:
            found.append(f"two halves of the picture say places {self.halves:.1f} px apart")
        if self.spread > SPREAD:
            found.append(f"the corners are known to {self.spread:.1f} px only")
        return found


@dataclass(frozen=True)
class Alignment:
    """An answer: 3x3 matrix from thermal to visible pixels, what kind of mapping it is, and what speaks for it."""

    matrix: Matrix
    kind: str
    evidence: Evidence


class Moments:
    """Pictures of both cameras, moment by moment, and what they show at every level."""

    def __init__(self, visible: Sequence[View], thermal: Sequence[View]) -> None:
        self.visible, self.thermal = list(visible), list(thermal)
        self._levels: dict[int, tuple] = {}

    def blocks(self, level: Level, matrix: Matrix) -> tuple[Blocks, Matrix]:
        """The blocks of a level with the thermal pictures laid on by ``matrix``; and visible px -> px of the level."""
        if level.width not in self._levels:
            scaled = [at_width(view, level.width) for view in self.visible]
            views = [view for view, _ in scaled]
            self._levels[level.width] = (_fields(views), scaled[0][1], views[0].size)
        (field, seen), to_level, size = self._levels[level.width]
        own_field, own = _fields([warped(view, to_level @ matrix, size) for view in self.thermal])
        return correlate_blocks(field, seen, own_field, own, level.reach, level.grid), to_level


def _fields(views: Sequence[View]):
    fields = [orientation_field(view) for view in views]
    stack, seen = stacked([field for field, _ in fields], [mask for _, mask in fields])
    planes = [*stack, *(np.where(seen, plane, 0) for plane, _ in motion_fields(views))]
    return np.stack(planes).astype(np.complex64), seen


def align(visible: Sequence[View], thermal: Sequence[View], on_step: Callable[[str], None] | None = None) -> Alignment:
    """Find the homography from thermal to visible pixels of a rig that does not change.

    Args:
        visible, thermal: pictures of the same moments.
        on_step: is told what is being done.
    """
    tell = on_step or (lambda _: None)
    moments = Moments(visible, thermal)
    tell("searching")
    small = [at_width(view, WIDTH) for view in visible]
    back = np.linalg.inv(small[0][1])
    found = [Candidate(back @ c.matrix, c.score) for c in candidates([v for v, _ in small], thermal, PLACES)]
    if not found:  # a picture without any edge
        found = [Candidate(between(thermal[0].size, visible[0].size), 0.0)]
    tell("comparing")
    size, unit = thermal[0].size, UNIT / visible[0].size[0]
    steps: list[_Step] = []
    for level, count in ((COARSE, 3), (MIDDLE, 3)):
        steps = [_refined(moments, level, candidate.matrix) for candidate in found]
        ranked = sorted((Candidate(step.matrix, step.clearness) for step in steps), key=lambda c: -c.score)
        found = distinct(ranked, size, APART / unit, count)
    best = max(steps, key=lambda step: step.clearness)
    rival = found[1].score / max(best.clearness, 1e-9) if len(found) > 1 else 0.0
    tell("refining")
    return _finished(moments, best.matrix, rival, _halves(best.blocks) * UNIT / MIDDLE.width)


@dataclass(frozen=True)
class _Step:
    """A similarity found at one level on top of a matrix: the new matrix, how clear it is, and from which blocks."""

    matrix: Matrix
    clearness: float
    blocks: Blocks


def _refined(moments: Moments, level: Level, matrix: Matrix) -> _Step:
    blocks, to_level = moments.blocks(level, matrix)
    fit = fit_blocks(blocks, free=SIMILARITY)
    return _Step(_moved(fit.matrix, to_level, matrix), _clearness(fit, blocks), blocks)


def _moved(step: Matrix, to_level: Matrix, matrix: Matrix) -> Matrix:
    """A step between pixels of a level, put on top of a matrix to visible pixels."""
    whole = np.linalg.inv(to_level) @ step @ to_level @ matrix
    return whole / whole[2, 2]


def _clearness(fit: Fit, blocks: Blocks) -> float:
    if len(blocks.centers) < SIMILARITY:
        return 0.0
    return float(fit.values.sum() / (blocks.noise * np.sqrt(max(len(fit.values), 1))))


def _halves(blocks: Blocks) -> float:
    """Mean distance of the corners, px, between fits to two halves of the blocks; the median of three divisions."""
    rng = np.random.default_rng(0)
    apart = []
    for _ in range(3):
        chosen = rng.permutation(len(blocks.centers)) % 2 == 0
        fits = [fit_blocks(blocks.part(part), free=SIMILARITY).matrix for part in (chosen, ~chosen)]
        ends = [mapped_corners(fit, blocks.size) for fit in fits]
        apart.append(np.linalg.norm(ends[0] - ends[1], axis=1).mean())
    return float(np.median(apart))


def _finished(moments: Moments, matrix: Matrix, rival: float, halves: float) -> Alignment:
    blocks, to_level = moments.blocks(FINE, matrix)
    fit, kind = fit_blocks(blocks, free=SIMILARITY), "similarity"
    gain, error = held_out_gain(blocks, fit, HOMOGRAPHY)
    if gain > GAIN * error:
        fit, kind = fit_blocks(blocks, fit.parameters, (DEPTH,), HOMOGRAPHY), "homography"
    whole = _moved(fit.matrix, to_level, matrix)
    width, height = moments.visible[0].size
    common = float(warped(moments.thermal[0], whole, (width, height)).valid.mean())
    evidence = Evidence(fit.score, _clearness(fit, blocks), rival, halves, fit.corner_spread, len(fit.values), common)
    return Alignment(whole, kind, evidence)
