"""The frames that two cameras have recorded, or one, as a sequence."""

from __future__ import annotations

import contextlib

from nestfuse_core.cameras.pairing import NONE, Pairing, one_camera, pair_by_position
from nestfuse_core.cameras.sources import Source
from nestfuse_core.common.pictures import Image
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.sequences.images import FrameFormat

ASPECT = 0.02
"""Relative difference of two pictures' width / height that is more than rounding."""


class PairedSequence(FrameSequence):
    """A sequence of one or two recorded sources.

    Args:
        info: its facts; the length is that of the pairing.
        rgb, ir: the sources, or None for a camera that is not there.
        pairing: which of their frames belong together; by default first with first.
    """

    def __init__(
        self, info: SequenceInfo, rgb: Source | None, ir: Source | None, pairing: Pairing | None = None
    ) -> None:
        super().__init__(info)
        self.rgb, self.ir = rgb, ir
        self.sources = {source.camera: source for source in (rgb, ir) if source is not None}
        self.cameras = tuple(self.sources)
        self.pairing = pairing or _in_order(rgb, ir)
        self._forms = {camera: FrameFormat(camera) for camera in self.sources}

    def frame(self, index: int) -> Frame:
        time = self.pairing.time
        rgb, ir = (self._place(camera, index) for camera in ("rgb", "ir"))
        return Frame(
            index,
            self.read("rgb", rgb),
            self.read("ir", ir),
            None if time is None else float(time[index]),
            rgb,
            ir,
        )

    def _place(self, camera: str, index: int) -> int | None:
        """Which picture of a camera's source a frame has."""
        place = int(getattr(self.pairing, camera)[index]) if camera in self.sources else NONE
        return None if place == NONE else place

    def read(self, camera: str, place: int | None) -> Image | None:
        """Picture ``place`` of the source of camera "rgb" or "ir", in the tracker's form; None for None."""
        if place is None:
            return None
        source = self.sources[camera]
        return self._forms[camera].convert(source.read(place), source.where(place))

    def first_of_both(self) -> int:
        there = (self.pairing.rgb != NONE) & (self.pairing.ir != NONE)
        return int(there.argmax()) if there.any() else 0

    def close(self) -> None:
        for source in self.sources.values():
            with contextlib.suppress(Exception):
                source.close()


def _in_order(rgb: Source | None, ir: Source | None) -> Pairing:
    if rgb is not None and ir is not None:
        return pair_by_position(rgb.length, ir.length, rgb.times)
    source = rgb or ir
    assert source is not None
    return one_camera(source.camera, source.length, source.times)


def shape_notes(sequence: PairedSequence) -> list[str]:
    """What to know about two cameras whose pictures have different shapes; reads the first of each."""
    if len(sequence.cameras) < 2:
        return []
    shapes = [image.shape for camera in ("rgb", "ir") if (image := sequence.read(camera, 0)) is not None]
    (height, width), (thermal_height, thermal_width) = (shape[:2] for shape in shapes)
    if abs(width / height * thermal_height / thermal_width - 1) <= ASPECT:
        return []
    return [
        f"The thermal pictures ({thermal_width}x{thermal_height}) are of another shape than the visible ones "
        f"({width}x{height}), so the cameras see different areas: unless --rig or --homography says how they lie on "
        "the visible ones, they are stretched."
    ]
