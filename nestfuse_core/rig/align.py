"""How the thermal picture lies on the visible one: found from their edges, refined, and doubted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nestfuse_core.rig.blocks import Blocks, correlate_blocks
from nestfuse_core.rig.features import Matrix, View, motion_fields, orientation_field, warped
from nestfuse_core.rig.file import between
from nestfuse_core.rig.fit import DEPTH, HOMOGRAPHY, SIMILARITY, Fit, fit_blocks, held_out_gain
from nestfuse_core.rig.search import WIDTH, Candidate, at_width, candidates, distinct, stacked

UNIT = 640
"""Width of a visible picture in whose px errors are told."""
PLACES = 6
"""Candidates of the search that are looked at more closely."""
APART = 24
"""Mean distance of the corners from which on two answers are different ones, px of `UNIT`."""
CLOSE = 0.6
"""Share of the best place's clearness from which on another one is looked at at the finest level, too."""
GAIN = 7.0
"""So many standard errors must a homography do better than a similarity, in blocks it was not fitted to."""


STEEP = 0.015
"""Stretch, shear or tilt, over the picture's width, from which on a homography is none of the cameras: a ground that
comes nearer below looks like a tilt, and is one of this scene only."""

CLEAR, MARGIN, SPREAD = 8.0, 3.3, 4.0
"""What an answer is believed from and up to: clearness; clearness above that of a rival; px of `UNIT`."""


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
        spread: expected error at the corners, px of `UNIT`.
        blocks: number of blocks that both cameras see.
        common: share of the visible picture that the thermal one covers.
    """

    agreement: float
    clearness: float
    rival: float
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
        if self.clearness * (1 - self.rival) < MARGIN:
            found.append(f"another place fits nearly as well ({100 * self.rival:.0f} % of the agreement)")
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
    for level, count in ((COARSE, 3), (MIDDLE, 2)):
        steps = [_refined(moments, level, candidate.matrix) for candidate in found]
        found = distinct(sorted(steps, key=lambda step: -step.score), size, APART / unit, count)
    tell("refining")
    ratio = found[1].score / max(found[0].score, 1e-9) if len(found) > 1 else 0.0
    finest = [_finest(moments, candidate.matrix) for candidate in found[: 2 if ratio > CLOSE else 1]]
    finest.sort(key=lambda place: -place.clearness)
    if len(finest) > 1:
        ratio = finest[1].clearness / max(finest[0].clearness, 1e-9)
    return _answer(moments, finest[0], ratio)


@dataclass(frozen=True)
class _Place:
    """A similarity fitted at the finest level on top of a matrix, and what it was fitted to."""

    matrix: Matrix
    fit: Fit
    blocks: Blocks
    to_level: Matrix

    @property
    def clearness(self) -> float:
        return _clearness(self.fit, self.blocks)


def _refined(moments: Moments, level: Level, matrix: Matrix) -> Candidate:
    """The similarity found at one level on top of a matrix, and how clear it is."""
    blocks, to_level = moments.blocks(level, matrix)
    fit = fit_blocks(blocks, free=SIMILARITY)
    return Candidate(_moved(fit.matrix, to_level, matrix), _clearness(fit, blocks))


def _moved(step: Matrix, to_level: Matrix, matrix: Matrix) -> Matrix:
    """A step between pixels of a level, put on top of a matrix to visible pixels."""
    whole = np.linalg.inv(to_level) @ step @ to_level @ matrix
    return whole / whole[2, 2]


def _clearness(fit: Fit, blocks: Blocks) -> float:
    if len(blocks.centers) < SIMILARITY:
        return 0.0
    return float(fit.values.sum() / (blocks.noise * np.sqrt(max(len(fit.values), 1))))


def _finest(moments: Moments, matrix: Matrix) -> _Place:
    blocks, to_level = moments.blocks(FINE, matrix)
    return _Place(matrix, fit_blocks(blocks, free=SIMILARITY), blocks, to_level)


def _answer(moments: Moments, place: _Place, rival: float) -> Alignment:
    fit, blocks, kind = place.fit, place.blocks, "similarity"
    gain, error = held_out_gain(blocks, fit, HOMOGRAPHY)
    if gain > GAIN * error:
        wide = fit_blocks(blocks, fit.parameters, (DEPTH,), HOMOGRAPHY)
        if np.abs(wide.parameters[SIMILARITY:]).max() < STEEP * blocks.size[0]:
            fit, kind = wide, "homography"
    whole = _moved(fit.matrix, place.to_level, place.matrix)
    width, height = moments.visible[0].size
    common = float(warped(moments.thermal[0], whole, (width, height)).valid.mean())
    evidence = Evidence(fit.score, _clearness(fit, blocks), rival, fit.corner_spread, len(fit.values), common)
    return Alignment(whole, kind, evidence)
