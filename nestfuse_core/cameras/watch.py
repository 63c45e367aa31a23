"""Whether a camera's picture is evidence, or only looks like one.

A camera lies in few ways that can be told from its pixels: it goes on delivering its last picture, it delivers nothing
(black, white, one grey level while its shutter is closed, noise), or a decoder left most of the picture undecoded. All
of it shows in every fifth pixel of every fifth row, which is all that is looked at: 0.2 ms a pair of 640x480 frames
on one core (`benchmarks/accuracy/camera_faults.py` measures it, and that nothing is said of real scenes).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]
FAULTS = ("frozen", "black", "white", "flat", "noise", "torn")
SAMPLES = 96
"""Rows that are looked at, at least; of a smaller picture all are."""
TOLERANCE = 1
"""Grey levels by which a pixel of 8 bits that stands still may change: what a codec leaves."""
STILL = 0.1
"""Share of its usual changing pixels up to which a picture stands still."""
RENEWALS = 5
"""Pictures in a row in which a codec may change a frozen one where nothing moves: a key frame, and better ones."""
UNUSUAL = 0.02
"""Share of changing pixels that is taken for usual as long as nothing is known."""
FORBEARANCE, PATIENCE = 10, 2
"""Repetitions that are taken for usual as long as nothing is known, and how many more than twice the usual ones are
too many."""
SEEN = 8
"""How many changes of the picture say what is usual."""
PARTS = 12
"""Parts, each way, in which movement is looked for."""
MOVED = 0.1
"""By how many standard deviations of the picture a part's mean changes where something moves."""
CELL = 4
"""Samples, each way, over whose mean the noise of a picture evens out."""
EVEN = 4.0
"""Grey levels of 8 bits between the darkest and the brightest cell of a picture of one grey level, noise apart."""
SPREAD = 7.5
"""Standard deviations between the lowest and the highest of some thousand numbers of pure chance."""
QUIET, LOUD = 6.0, 50.0
"""Standard deviations, in grey levels of 8 bits, up to which a sensor's noise goes and from which on there is no
picture that fine and that even."""
DARK, BRIGHT = 32, 223
"""Grey levels of 8 bits below and above which an even picture is black and white."""
RUINED = 0.5
"""Share of a picture from which on it is mostly undecoded."""
FILLING = range(127, 132)
"""Grey levels with which decoders fill what they could not decode."""


@dataclass(frozen=True)
class Glance:
    """Every few pixels of a picture.

    Attributes:
        values: (h, w) of one channel.
        cells, parts: means over `CELL` x `CELL` values, and over `PARTS` x `PARTS` parts of the picture.
        deep: whether the picture had other values than those of 8 bits.
    """

    values: NDArray[np.float32]
    cells: NDArray[np.float32]
    parts: NDArray[np.float32]
    deep: bool

    @staticmethod
    def at(image: Image) -> Glance:
        """Look at HxW or HxWxC (its second channel) of any number type; what is not finite counts as 0."""
        step = max(1, min(image.shape[:2]) // SAMPLES)
        plane = image if image.ndim == 2 else image[..., min(1, image.shape[2] - 1)]
        deep = image.dtype != np.uint8
        values = plane[step // 2 :: step, step // 2 :: step].astype(np.float32)
        if image.dtype.kind == "f":
            values = np.nan_to_num(values, posinf=0, neginf=0)
        height, width = values.shape
        cells = cv2.resize(values, (max(1, width // CELL), max(1, height // CELL)), interpolation=cv2.INTER_AREA)
        parts = cv2.resize(values, (PARTS, PARTS), interpolation=cv2.INTER_AREA)
        return Glance(values, np.asarray(cells, np.float32), np.asarray(parts, np.float32), deep)

    def changed(self, other: Glance) -> float:
        """Share of the pixels that differ by more than a codec makes them."""
        return float(np.mean(np.abs(self.values - other.values) > (0 if self.deep else TOLERANCE)))

    def moved(self, other: Glance) -> bool:
        """Whether something in the picture is elsewhere."""
        if self.values.shape != other.values.shape:
            return True
        scale = max(float(self.cells.std()), TOLERANCE)
        return bool(np.abs(self.parts - other.parts).max() > MOVED * scale)


def emptiness(glance: Glance) -> str | None:
    """Which of "black", "white", "flat" (one grey level) and "noise" a picture is; None for one that shows something.

    An empty picture is the same everywhere but for what differs from pixel to pixel: the means of its cells differ as
    much as those of so many independent numbers do. Where the depth is not that of 8 bits, whose range is not known,
    this is all there is to go by, and black is 0. Pictures of a few pixels are not judged.
    """
    if min(glance.values.shape) < 3 * CELL:
        return None
    cells = glance.cells.ravel()
    lowest, highest = np.partition(cells, (2, -3))[[2, -3]]
    steps = np.abs(np.diff(glance.values[:: 4 * CELL], axis=1)).ravel()
    noise = float(np.partition(steps, steps.size // 2)[steps.size // 2]) / (0.6745 * 2**0.5)
    if highest - lowest > (0.0 if glance.deep else EVEN) + SPREAD * noise / CELL:
        return None
    level = float(glance.cells.mean())
    if glance.deep:
        return "black" if level == 0 else "flat"
    if noise > QUIET:
        return "noise" if noise > LOUD else None
    return "black" if level < DARK else "white" if level > BRIGHT else "flat"


def is_torn(glance: Glance) -> bool:
    """Whether most of a picture was not decoded: filled with one grey, or with its last good row down to the bottom."""
    return _repeats_a_row(glance) or (not glance.deep and _is_filled(glance.values))


def _repeats_a_row(glance: Glance) -> bool:
    tolerance = 0 if glance.deep else TOLERANCE
    last, above = glance.values[-1], glance.values[-2:-1]
    if (np.abs(last - above) > tolerance).any():
        return False
    values = glance.values
    # Where there was no light at all, or too much, rows are alike too.
    lit = values[1:] != values.max() if glance.deep else (values[1:] > 8) & (values[1:] < 247)
    whole = ((np.abs(values[1:] - values[:-1]) <= tolerance) & lit).mean(1) > 0.98
    return len(whole) - int(np.flatnonzero(~np.append(False, whole))[-1]) > RUINED * len(values)


def _is_filled(values: NDArray[np.float32]) -> bool:
    filled = values[(values >= FILLING.start) & (values < FILLING.stop)]
    return filled.size > RUINED * values.size and np.bincount(filled.astype(np.int64)).max() > RUINED * values.size


class CameraWatch:
    """Watches one camera: give it every picture, in order.

    Attributes:
        glance: the last picture.
        empty: what is wrong with it by itself, of `FAULTS`; None where nothing is.
        run: how often that picture has come again, up to now.
        frozen: whether it counts as frozen, until it changes; for the owner to say, who knows whether anything moves.
    """

    def __init__(self) -> None:
        self.glance: Glance | None = None
        self.empty: str | None = None
        self.run = 0
        self.frozen = False
        self._held: Glance | None = None
        self._renewals = 0
        self._index: int | None = None
        self._usual: deque[float] = deque(maxlen=2 * SEEN)
        self._runs = deque([FORBEARANCE] * SEEN, maxlen=SEEN)

    def look(self, image: Image | None, index: int | None = None) -> None:
        """Take in the next picture; None, or the picture ``index`` of the source once more, say nothing new."""
        if image is None or (index is not None and index == self._index):
            return
        glance, held = Glance.at(image), self._held
        self.glance, self._index = glance, index
        self.empty = emptiness(glance) or ("torn" if is_torn(glance) else None)
        if held is None or held.values.shape != glance.values.shape:
            self._held, self.run, self.frozen, self._renewals = glance, 0, False, 0
            return
        changed = glance.changed(held)
        usual = float(np.median(self._usual)) if len(self._usual) >= SEEN else UNUSUAL
        if changed <= usual * STILL:
            self.run, self._renewals = self.run + 1, 0
            return
        if self.frozen and self._renewals < RENEWALS and not glance.moved(held):
            self._held, self._renewals = glance, self._renewals + 1
            return
        self._usual.append(changed)
        self._runs.append(self.run)
        self._held, self.run, self.frozen, self._renewals = glance, 0, False, 0

    @property
    def stands_still(self) -> bool:
        """Whether the picture has come again more often than this camera is wont to repeat one."""
        return self.run > 2 * max(self._runs) + PATIENCE


class PairWatch:
    """Watches two cameras: one that stands still lies only while something moves before the other."""

    def __init__(self) -> None:
        self._watches = {camera: CameraWatch() for camera in ("rgb", "ir")}
        self._before: dict[str, Glance | None] = {}

    def __call__(
        self, images: Mapping[str, Image | None], indices: Mapping[str, int | None] | None = None
    ) -> dict[str, str]:
        """Look at the next picture of each camera.

        Args:
            images: "rgb" and "ir" -> HxW or HxWxC of any number type, or None where there is none.
            indices: "rgb" and "ir" -> which picture of its source it is, where that is known: one that is paired once
                more because its camera is the slower one does not stand still.

        Returns:
            Camera -> which of `FAULTS` its picture has; one whose picture is as it should be is left out.
        """
        for camera, watch in self._watches.items():
            watch.look(images.get(camera), (indices or {}).get(camera))
        found = {}
        for (camera, watch), other in zip(self._watches.items(), reversed(self._watches.values()), strict=True):
            seen = None if other.empty else other.glance
            if watch.run == 0 or self._before.get(camera) is None:
                self._before[camera] = seen
            before = self._before[camera]
            if watch.stands_still and seen is not None and before is not None:
                watch.frozen = watch.frozen or seen.moved(before)
            fault = watch.empty or ("frozen" if watch.frozen else None)
            if fault and images.get(camera) is not None:
                found[camera] = fault
        return found
