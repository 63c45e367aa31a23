"""The file of a rig: how the thermal camera's picture lies on the visible one's, and how their clocks differ."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from nestfuse_core.cameras.matching import Timing
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import expanded, write_text
from nestfuse_core.common.sections import Section, read_yaml, validated
from nestfuse_core.rig.features import Matrix

NAME = "rig.yaml"
"""What a rig's file is called beside the recordings that it is of."""
NO_RIG = "none"
"""What a user types so that a file beside the recordings is not taken."""
COEFFICIENTS = (4, 5, 8)

Size = tuple[int, int]
Row = tuple[float, float, float]


class Lens(Section):
    """One camera's own geometry, as OpenCV has it: ``matrix`` 3x3 in pixels, ``distortion`` k1, k2, p1, p2[, k3...]."""

    matrix: tuple[Row, Row, Row]
    distortion: tuple[float, ...]

    @field_validator("distortion")
    @classmethod
    def _known_length(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(value) not in COEFFICIENTS:
            raise ValueError(f"expected 4, 5 or 8 coefficients, got {len(value)}")
        return value


class Rig(Section):
    """A rig: ``homography`` maps pixels of a thermal picture of ``thermal`` size to those of a ``visible`` one.

    With a ``visible_lens`` or ``thermal_lens`` it maps undistorted pixels. ``offset``: what the thermal clock shows
    minus what the visible one shows, seconds. ``fps``: frames a second, visible and thermal, instead of the sources'
    times. ``thermal_range``: raw values that become black and white. Pictures of another size than stated are taken for
    the same view at another resolution. ``how``: what the file was made from, in words.
    """

    visible: Size | None = None
    thermal: Size | None = None
    homography: tuple[Row, Row, Row] | None = None
    visible_lens: Lens | None = None
    thermal_lens: Lens | None = None
    offset: float | None = Field(default=None, allow_inf_nan=False)
    fps: tuple[float | None, float | None] | None = None
    thermal_range: tuple[float, float] | None = None
    how: str = ""

    @field_validator("homography")
    @classmethod
    def _invertible(cls, value: Any) -> Any:
        if value is not None and (not np.isfinite(value).all() or np.linalg.matrix_rank(np.array(value)) < 3):
            raise ValueError("expected a 3x3 matrix that can be inverted")
        return value

    @field_validator("visible", "thermal")
    @classmethod
    def _positive(cls, value: Any) -> Any:
        if value is not None and min(value) < 1:
            raise ValueError("expected a width and height in pixels")
        return value

    @field_validator("fps")
    @classmethod
    def _rates(cls, value: Any) -> Any:
        if value is not None and any(rate is not None and not 0 < rate < np.inf for rate in value):
            raise ValueError("expected frames a second of the visible and the thermal camera")
        return value

    @field_validator("thermal_range")
    @classmethod
    def _ascending(cls, value: Any) -> Any:
        if value is not None and not (np.isfinite(value).all() and value[0] < value[1]):
            raise ValueError("expected LOW and HIGH with LOW < HIGH")
        return value

    @model_validator(mode="after")
    def _sizes_of_homography(self) -> Rig:
        if self.homography is not None and (self.visible is None or self.thermal is None):
            raise ValueError("a homography needs the sizes of the pictures it is of: visible and thermal")
        return self

    def matrix(self, visible: Size, thermal: Size) -> Matrix:
        """The homography between pictures of these sizes (width, height); stretched to the picture where unknown."""
        if self.homography is None or self.visible is None or self.thermal is None:
            return between(thermal, visible)
        matrix = between(self.visible, visible) @ np.array(self.homography) @ between(thermal, self.thermal)
        return matrix / matrix[2, 2]

    @property
    def lays(self) -> bool:
        """Whether it says anything about how thermal pictures are laid on visible ones."""
        return any(value is not None for value in (self.homography, self.visible_lens, self.thermal_range))

    def completed(self, timing: Timing, live: bool = False) -> Timing:
        """What the user said about time, completed by what the file says; live cameras tell their own rates."""
        rates = {camera: rate for camera, rate in zip(("rgb", "ir"), self.fps or (None, None), strict=True) if rate}
        return replace(timing, offset=timing.offset or self.offset or 0.0, fps=timing.fps or ({} if live else rates))

    def summary(self) -> str:
        """What it says, for a note: "thermal lies at -12 to 633, 4 to 475 px; offset 0.1 s"."""
        parts = []
        if self.homography is not None and self.visible is not None and self.thermal is not None:
            corners = mapped_corners(np.array(self.homography), self.thermal)
            (left, top), (right, bottom) = corners.min(0), corners.max(0)
            width, height = self.visible
            place = f"x {left:.1f} to {right:.1f} and y {top:.1f} to {bottom:.1f} of {width}x{height} px"
            parts.append(f"that the thermal picture lies at {place}")
        if self.visible_lens is not None or self.thermal_lens is not None:
            parts.append("how the lenses distort")
        if self.offset is not None:
            parts.append(f"that the thermal clock is {self.offset:.3f} s ahead")
        if self.fps is not None:
            parts.append("the rates")
        if self.thermal_range is not None:
            parts.append("the thermal range {:g} to {:g}".format(*self.thermal_range))
        return ", ".join(parts) or "nothing"

    def changed(self, **values: Any) -> Rig:
        """A validated copy with other values."""
        return parse_rig(self.model_dump() | values, "the rig")


def between(own: tuple[float, float], other: tuple[float, float]) -> Matrix:
    """3x3 matrix between pixels of one view at two resolutions, pixel centres being whole numbers."""
    across, down = other[0] / own[0], other[1] / own[1]
    return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])


def corners_of(size: Size) -> NDArray[Any]:
    """(4, 2) the outer corners of a picture of ``size`` (width, height), pixel centres being whole numbers."""
    width, height = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64) - 0.5


def mapped_corners(matrix: Matrix, size: Size) -> NDArray[Any]:
    """(4, 2) where the outer corners of a picture of ``size`` (width, height) come to lie."""
    return cv2.perspectiveTransform(corners_of(size)[None], matrix)[0]


def rows(matrix: Matrix) -> tuple[Row, Row, Row]:
    """A 3x3 matrix as it is written, scaled to 1 in its corner."""
    scaled = np.asarray(matrix, np.float64) / matrix[2][2]
    first, second, third = (tuple(float(value) for value in row) for row in scaled)
    return first, second, third  # type: ignore[return-value]


def parse_rig(content: dict[str, Any], source: str) -> Rig:
    """Validate a mapping. Raises UserError with one sentence that names ``source``."""
    return validated(Rig, content, source)


def read_rig(path: str | os.PathLike[str]) -> Rig:
    """Read a rig's file.

    Raises:
        UserError: no such file, no YAML, an unknown key or a bad value.
    """
    file = expanded(path)
    if not file.is_file():
        raise UserError(f"No rig file '{path}'; 'rgbt rig align --rgb A --ir B --output {NAME}' makes one.")
    return parse_rig(read_yaml(file, "rig file"), str(path))


def rig_text(rig: Rig) -> str:
    """What a rig's file holds, YAML; what is not known is left out."""
    content = rig.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump({key: value for key, value in content.items() if value != ""}, sort_keys=False, width=110)


def write_rig(path: str | os.PathLike[str], rig: Rig) -> None:
    """Write a rig's file, whole or not at all."""
    write_text(path, rig_text(rig))


def find_rig(*places: str | os.PathLike[str]) -> Path | None:
    """The rig's file beside recordings: in a sequence's folder, or in the one that all of ``places`` lie in."""
    folders = [expanded(place).absolute() for place in places]
    if len(folders) == 1 and folders[0].is_dir():
        candidates = [folders[0]]
    else:
        parents = {folder.parent for folder in folders}
        candidates = list(parents) if len(parents) == 1 else []
    return next((folder / NAME for folder in candidates if (folder / NAME).is_file()), None)


def choose_rig(rig: str | Path | Rig | None, *beside: Path) -> tuple[Rig | None, list[str]]:
    """The rig that was given, or the one whose file lies beside recordings, and what to tell the user.

    Args:
        rig: a rig, its file, "none" for no rig whatever lies there, or None.
        beside: a sequence's folder, or both cameras' recordings.

    Raises:
        UserError: a file that is not there or cannot be used.
    """
    if isinstance(rig, Rig):
        return rig, []
    if str(rig) == NO_RIG:
        return None, []
    file = find_rig(*beside) if rig is None and beside else rig
    if file is None:
        return None, []
    chosen = read_rig(file)
    how = "" if rig is not None else f" It lies beside the recordings; --rig {NO_RIG} leaves it out."
    return chosen, [f"The rig file '{file}' says {chosen.summary()}.{how}"]
