"""One target at one moment, as its crops show it: what training pairs are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.boxes import Box

Image = NDArray[np.uint8]
ReadImage = Callable[[Path], Image]
"""File -> HxWx3 BGR or HxW uint8, not to be written into."""


@dataclass(frozen=True)
class TargetView:
    """One target at one moment: ``images`` maps "rgb" and/or "ir" to HxWx3 uint8 BGR (read only).

    ``box`` (x, y, w, h), edges in crop pixels, is the visible one where both cameras have one. ``mask`` (HxW,
    0..255) is the target's silhouette in the visible crop, None where it is not known. ``blind`` names the camera, if
    any, whose image does not show the target.
    """

    images: dict[str, Image]
    box: Box
    mask: Image | None = None
    blind: str | None = None
