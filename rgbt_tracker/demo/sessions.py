"""What the demo remembers of one opened pair: its frames, its running trackers, its temporary files."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.cameras.names import CAMERAS
from nestfuse_core.common.errors import UserError
from nestfuse_core.fusion.scale import ThermalScale
from nestfuse_core.fusion.thermal import needs_scaling
from nestfuse_core.rig.file import Rig
from rgbt_tracker.boxes import Box, check_box
from rgbt_tracker.config import MODALITIES, Modality
from rgbt_tracker.sequences.base import Derived, Frame, FrameSequence
from rgbt_tracker.sequences.rigged import lay, unlaid
from rgbt_tracker.sequences.watched import Watched, watch
from rgbt_tracker.target_colours import css_of
from rgbt_tracker.tracking.interface import Result
from rgbt_tracker.tracking.run import as_given

if TYPE_CHECKING:
    from nestfuse_core.fusion.fuser import VideoFuser
    from rgbt_tracker.tracking.multi import MultiTracker

MAXIMUM = 8
IDLE_SECONDS = 1800.0
MakeTracker = Callable[[Modality], "MultiTracker"]


@dataclass
class Session:
    """One opened pair.

    Attributes:
        frames: its sequence, thermal laid on visible where a rig says how.
        rig: what is known of the cameras.
        folder: its temporary files, or None.
        trackers: modality -> running tracker.
        boxes: modality -> number of a target -> its latest box.
        fusers: channel attention -> what fuses its frames.
        at: frame that the running trackers have reached.
    """

    frames: FrameSequence
    folder: Path | None = None
    rig: Rig = field(default_factory=Rig)
    trackers: dict[Modality, MultiTracker] = field(default_factory=dict)
    boxes: dict[Modality, dict[int, Box]] = field(default_factory=dict)
    fusers: dict[str, VideoFuser] = field(default_factory=dict)
    at: int = 0
    used: float = field(default_factory=time.monotonic)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _recent: _Recent = field(init=False)
    _watched: Watched = field(init=False)
    _scale: ThermalScale = field(default_factory=ThermalScale)

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._recent = _Recent(self.frames)
        self._watched = watch(self._recent)

    def lay(self, rig: Rig) -> None:
        """Lay thermal on visible as ``rig`` says, in place of what was said before; trackers begin anew."""
        with self.lock:
            self.frames, self.rig = lay(unlaid(self.frames), rig), rig
            self.trackers, self.boxes, self.fusers, self.at = {}, {}, {}, 0
            self._begin()

    def frame(self, index: int) -> Frame:
        """Return a frame, the thermal image resized to the visible one; raises UserError outside the sequence."""
        self._check(index)
        with self.lock:
            return self._recent.frame(index)

    def own_frame(self, index: int) -> Frame:
        """Return a frame with the thermal image as its camera took it; raises UserError outside the sequence."""
        self._check(index)
        with self.lock:
            return unlaid(self.frames).frame(index)

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self.frames):
            raise UserError(f"Expected a frame from 0 to {len(self.frames) - 1}, got {index}.")

    @property
    def cameras(self) -> list[str]:
        """The cameras that are there, of "rgb" and "ir"."""
        return list(self.frames.cameras)

    def picture(self, index: int, camera: str) -> NDArray[np.uint8]:
        """Return what to show of a camera: HxW or HxWx3 uint8; deep thermal images go through one scale.

        Black where the camera has no picture of this moment.
        """
        if camera not in self.cameras:
            raise UserError(f"This pair has no {CAMERAS.get(camera, camera)} images.")
        frame = self.frame(index)
        image = frame.picture(camera)
        if image is None:
            return np.zeros(next(other.shape[:2] for other in (frame.rgb, frame.ir) if other is not None), np.uint8)
        if not needs_scaling(image):
            return np.asarray(image, np.uint8)
        return self._scale(np.asarray(image))

    def start(
        self, index: int, boxes: Sequence[Sequence[float]], modalities: Sequence[str], make: MakeTracker
    ) -> dict[str, Any]:
        """Start trackers on a frame, with a box for each target; returns what `step` returns."""
        with self.lock:
            frame = self.frame(index)
            chosen = self._checked(modalities)
            height, width = next(image for image in (frame.rgb, frame.ir) if image is not None).shape[:2]
            first = {number: check_box(box, width, height) for number, box in enumerate(boxes, 1)}
            self.trackers, self.boxes, self.at = {}, {}, index
            for modality in chosen:
                self._add(modality, first, make)
            given = {number: as_given(box) for number, box in first.items()}
            return self._answer({name: _told(given) | {"ms": 0.0} for name in chosen})

    def step(self, modalities: Sequence[str], make: MakeTracker) -> dict[str, Any]:
        """Track the next frame with the chosen modalities.

        One that was not running starts on the present frame at the boxes of the first that was; those that are no
        longer chosen stop.

        Raises:
            UserError: nothing runs yet, nothing is chosen, or a camera is missing.
        """
        with self.lock:
            if not self.boxes:
                raise UserError("Draw a box and start tracking first.")
            chosen = self._checked(modalities)
            if self.at + 1 >= len(self.frames):
                return self._answer({})
            lead = next(iter(self.boxes.values()))
            for modality in chosen:
                if modality not in self.trackers:
                    self._add(modality, lead, make)
            for modality in [name for name in self.trackers if name not in chosen]:
                del self.trackers[modality], self.boxes[modality]
            self.at += 1
            frame = self.frame(self.at)
            return self._answer({name: self._update(name, self._evidence(name, frame)) for name in chosen})

    def _checked(self, modalities: Sequence[str]) -> list[Modality]:
        if not modalities or any(name not in MODALITIES for name in modalities):
            raise UserError(f"Expected some of {', '.join(MODALITIES)}, got {', '.join(modalities) or 'none'}.")
        for modality in modalities:
            for camera in MODALITIES[modality]:
                if camera not in self.cameras:
                    raise UserError(f"'{modality}' needs {CAMERAS[camera]} images, and this pair has none.")
        return [cast(Modality, modality) for modality in modalities]

    def _add(self, modality: Modality, boxes: dict[int, Box], make: MakeTracker) -> None:
        tracker, frame = make(modality), self._evidence(modality, self.frame(self.at))
        for number, box in boxes.items():
            tracker.add(frame.rgb, frame.ir, box, number)
        self.trackers[modality], self.boxes[modality] = tracker, boxes

    def _evidence(self, modality: Modality, frame: Frame) -> Frame:
        """The frame for a tracker of ``modality``: one of two cameras does without one that lies."""
        if len(MODALITIES[modality]) == 1:
            return frame
        faults = self._watched.frame(frame.index).faults
        return replace(frame, faults=faults, **dict.fromkeys(faults))  # type: ignore[arg-type]

    def _update(self, modality: Modality, frame: Frame) -> dict[str, Any]:
        begin = time.perf_counter()
        results = self.trackers[modality].update(frame.rgb, frame.ir)
        milliseconds = 1000 * (time.perf_counter() - begin)
        self.boxes[modality] = {number: result.box for number, result in results.items()}
        answer = _told(results) | {"ms": round(milliseconds, 1)}
        return {**answer, "faults": frame.faults} if frame.faults else answer

    def _answer(self, tracks: dict[str, Any]) -> dict[str, Any]:
        return {"frame": self.at, "last": self.at + 1 >= len(self.frames), "tracks": tracks}

    def close(self) -> None:
        """Release the frames and remove the temporary files."""
        with self.lock:
            self.frames.close()
            if self.folder is not None:
                shutil.rmtree(self.folder, ignore_errors=True)


def _told(results: dict[int, Result]) -> dict[str, Any]:
    """What the page is told of a frame: the first target, and all of them where there are several."""
    targets = [
        {
            "id": number,
            "color": css_of(number),
            "box": tuple(float(value) for value in result.box),
            "score": float(result.score),
            "lost": bool(result.lost),
        }
        for number, result in results.items()
    ]
    first = {key: targets[0][key] for key in ("box", "score", "lost")}
    return first | ({"targets": targets} if len(targets) > 1 else {})


class _Recent(Derived):
    """A sequence that keeps its last few frames, the thermal image resized to the visible one."""

    def __init__(self, source: FrameSequence) -> None:
        super().__init__(source)
        self._kept: dict[int, Frame] = {}

    def frame(self, index: int) -> Frame:
        if index not in self._kept:
            while len(self._kept) >= 4:
                self._kept.pop(next(iter(self._kept)))
            self._kept[index] = _same_size(self._source.frame(index))
        return self._kept[index]


def _same_size(frame: Frame) -> Frame:
    if frame.rgb is None or frame.ir is None or frame.rgb.shape[:2] == frame.ir.shape[:2]:
        return frame
    size = (frame.rgb.shape[1], frame.rgb.shape[0])
    return replace(frame, ir=cv2.resize(np.asarray(frame.ir), size, interpolation=cv2.INTER_LINEAR))


class Sessions:
    """The open sessions: `MAXIMUM` at most, the longest unused one goes first, idle ones after `IDLE_SECONDS`."""

    def __init__(self) -> None:
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()

    def add(self, session: Session) -> str:
        """Keep a session; returns the secret name it is asked for by."""
        self.forget_idle()
        name = secrets.token_urlsafe(16)
        with self._lock:
            oldest = sorted(self._open, key=lambda key: self._open[key].used)
            surplus = [self._open.pop(key) for key in oldest[: max(len(oldest) + 1 - MAXIMUM, 0)]]
            self._open[name] = session
        for other in surplus:
            other.close()
        return name

    def get(self, name: str) -> Session | None:
        """Return the session of that name and mark it as used, or None."""
        self.forget_idle()
        with self._lock:
            session = self._open.get(name)
            if session:
                session.used = time.monotonic()
            return session

    def remove(self, name: str) -> None:
        """Close the session of that name, if there is one."""
        with self._lock:
            session = self._open.pop(name, None)
        if session:
            session.close()

    def forget_idle(self) -> None:
        """Close every session that nobody has asked for in a while."""
        limit = time.monotonic() - IDLE_SECONDS
        with self._lock:
            idle = [name for name, session in self._open.items() if session.used < limit]
        for name in idle:
            self.remove(name)

    def close(self) -> None:
        """Close them all."""
        for name in list(self._open):
            self.remove(name)
