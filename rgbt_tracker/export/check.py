"""Exported graphs against the network in torch, on the frames that the package ships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import MODALITIES, TrackerConfig
from rgbt_tracker.locate import open_sequence
from rgbt_tracker.runtime.interface import Answer, Floats, Pixels, Runtime, State
from rgbt_tracker.tracking.tracker import Tracker

FRAMES = "clip:smoke"
OUTPUTS, BOXES = 1e-4, 0.01
"""Largest difference that is let pass: of an output, as a part of its largest magnitude; of a box, in px."""


@dataclass(frozen=True)
class Difference:
    """The largest ones of some cameras: of outputs, as parts of their largest magnitude, and of boxes in px."""

    modality: str
    outputs: float
    boxes: float


class _Compared:
    """A runtime beside which another one answers the same questions."""

    def __init__(self, runtime: Runtime, other: Runtime) -> None:
        self.runtime, self.other = runtime, other
        self.name, self.device = runtime.name, runtime.device
        self.largest = 0.0

    def template(self, images: Pixels, cameras: tuple[str, ...]) -> State:
        self._states = self.runtime.template(images, cameras), self.other.template(images, cameras)
        return self._states[0]

    def search(self, state: State, images: Pixels, memory: Floats | None = None, maps: bool = False) -> Answer:
        found, others = (
            runtime.search(own, images, memory, maps=True)
            for runtime, own in zip((self.runtime, self.other), self._states, strict=True)
        )
        for one, other in zip(_values(found), _values(others), strict=True):
            scale = float(np.abs(one).max())
            self.largest = max(self.largest, float(np.abs(one - other).max()) / (scale or 1.0))
        return found

    def stack(self, states: Sequence[State]) -> State:
        return self.runtime.stack(states)

    def digest(self) -> str:
        return self.runtime.digest()


def _values(answer: Answer) -> list[Floats]:
    gate = [values for values in (answer.weights, answer.memory) if values is not None]
    return [answer.cls, answer.loc, *gate, *answer.maps.values()]


def compare(config: TrackerConfig, expected: Runtime, found: Runtime, frames: int) -> list[Difference]:
    """Track `FRAMES` with the cameras of the configuration, and with each by itself, through both runtimes."""
    names = list(MODALITIES) if len(config.modalities) > 1 else [config.modality]
    return [_compare(config.replace(modality=name), expected, found, frames) for name in names]


def _compare(config: TrackerConfig, expected: Runtime, found: Runtime, frames: int) -> Difference:
    both = _Compared(expected, found)
    trackers = Tracker(config, both), Tracker(config, found)
    apart = 0.0
    with open_sequence(FRAMES) as sequence:
        box = sequence.info.start_for(config.modality)
        assert box is not None  # the package's own clip
        for index in range(min(frames + 1, len(sequence))):
            frame = sequence.frame(index)
            rgb, ir = (frame.picture(name) if name in config.modalities else None for name in ("rgb", "ir"))
            if index == 0:
                for tracker in trackers:
                    tracker.initialize(rgb, ir, box)
                continue
            boxes = [np.array(tracker.update(rgb, ir).box) for tracker in trackers]
            apart = max(apart, float(np.abs(boxes[0] - boxes[1]).max()))
    return Difference(config.modality, both.largest, apart)


def refuse(differences: Sequence[Difference]) -> None:
    """Raise a UserError where a difference is larger than rounding explains."""
    for found in differences:
        if not (found.outputs <= OUTPUTS and found.boxes <= BOXES):
            raise UserError(
                f"The exported graphs of '{found.modality}' differ from torch by {found.outputs:.1e} of an output and "
                f"{found.boxes:.3f} px, more than {OUTPUTS:.0e} and {BOXES} px; nothing was written."
            )
