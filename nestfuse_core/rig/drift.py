"""Whether a rig still looks as its file says: the fit of single moments, relative to the file's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nestfuse_core.common.pictures import Image
from nestfuse_core.rig.align import MIDDLE, UNIT, Moments
from nestfuse_core.rig.features import Matrix, thermal_view, visible_view
from nestfuse_core.rig.file import corners_of, mapped_corners
from nestfuse_core.rig.fit import SIMILARITY, fit_blocks

KNOWN = 3.0
"""Expected error at the corners, px of `UNIT`, up to which a moment says anything."""
MOVED = 6.0
"""Mean distance of the corners from where the file has them, px of `UNIT`, from which on a rig has moved."""


@dataclass(frozen=True)
class Drift:
    """What one moment says: how far the corners lie from the file's place, and the error of that, px of `UNIT`."""

    frame: int
    corners: float
    spread: float

    @property
    def known(self) -> bool:
        """Whether the moment shows enough to tell."""
        return self.spread <= KNOWN


def drift_of(frame: int, visible: Image, thermal: Image, matrix: Matrix) -> Drift:
    """Fit one moment again, close to a matrix from thermal to visible pixels (up to 12 px of `UNIT` off)."""
    moments = Moments([visible_view(visible)], [thermal_view(thermal)])
    blocks, _ = moments.blocks(MIDDLE, matrix)
    fit = fit_blocks(blocks, free=SIMILARITY)
    moved = mapped_corners(fit.matrix, fit.size) - corners_of(fit.size)
    unit = UNIT / MIDDLE.width
    return Drift(frame, float(np.linalg.norm(moved, axis=1).mean()) * unit, fit.corner_spread * unit)


def verdict(drifts: list[Drift]) -> tuple[bool, str]:
    """Whether the rig has moved (or its file never fitted), and a sentence that says so."""
    known = [drift for drift in drifts if drift.known]
    if len(known) < max(1, len(drifts) // 4):
        return False, f"{len(known)} of {len(drifts)} moments show enough to tell whether the rig file still fits."
    off = [drift for drift in known if drift.corners > max(MOVED, 2 * drift.spread)]
    usual = float(np.median([drift.corners for drift in known]))
    if len(off) * 2 <= len(known):
        return False, f"The rig file fits: corners lie {usual:.1f} px (at {UNIT} px width) from it in most moments."
    return True, (
        f"The rig has moved, or its file is of another one: from frame {off[0].frame} on corners lie {usual:.1f} px "
        f"(at {UNIT} px width) from it in {len(off)} of {len(known)} moments; make a new one with 'rgbt rig align'."
    )
