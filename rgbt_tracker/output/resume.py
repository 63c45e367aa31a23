"""Runs that stop early: the state they leave beside their results, and how another run goes on from it.

``NAME_state.npz`` holds, for M tracked frames: "boxes" (M, 4) float64 x, y, w, h; "scores" and "seconds" (M,) float64;
"cameras" (M,) uint8, 1 for visible plus 2 for thermal; "made_with", JSON of what the run was made with; and the
tracker's own arrays after the last of the frames, each called "tracker." and its name.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.arrays import part, read_arrays
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import replacing
from rgbt_tracker.boxes import Box
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.output.log import BITS, Log
from rgbt_tracker.results.write import COMPANIONS
from rgbt_tracker.sequences.base import Frame, SequenceInfo
from rgbt_tracker.tracking.interface import Result
from rgbt_tracker.tracking.run import Step

if TYPE_CHECKING:
    from rgbt_tracker.tracking.tracker import Tracker

EVERY = 10.0
"""Seconds between two states of a run, which is all that a process that is killed can lose."""
TRACKER = "tracker."
ANEW = "type the same command as before, or leave --resume out to begin anew."


def state_path(folder: Path, name: str) -> Path:
    """``NAME_state.npz``."""
    return folder / f"{name}{COMPANIONS['state']}"


@dataclass(frozen=True)
class State:
    """A run that stopped after ``len(boxes)`` frames.

    Attributes:
        made_with: "start" (number of its first frame), "boxes" (frame -> the boxes it was given) and what
            `fingerprint` tells.
        boxes, scores, seconds, cameras: of every tracked frame; see the module.
        tracker: `Tracker.state` after the last of them.
        path: of the file.
    """

    made_with: dict[str, Any]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    seconds: NDArray[np.float64]
    cameras: NDArray[np.uint8]
    tracker: dict[str, NDArray[Any]]
    path: Path

    @property
    def start(self) -> int:
        """Number of the first tracked frame."""
        return int(self.made_with["start"])

    @property
    def end(self) -> int:
        """Number of the frame to go on with."""
        return self.start + len(self.boxes)

    @property
    def given(self) -> dict[int, Box]:
        """Frame -> box that the run was given for it."""
        boxes = {}
        for frame, (x, y, w, h) in self.made_with["boxes"].items():
            boxes[int(frame)] = (x, y, w, h)
        return boxes

    @classmethod
    def read(cls, path: Path) -> State:
        """Read a state.

        Raises:
            UserError: there is none, or the file is damaged.
        """
        if not path.is_file():
            raise UserError(f"There is no stopped run to go on with: no '{path}'; leave --resume out to begin anew.")
        try:
            arrays = read_arrays(path, "a state")
            made_with = json.loads(str(arrays.pop("made_with")))
            boxes = part(arrays, "boxes", (None, 4)).astype(np.float64)
            scores, seconds = (part(arrays, name, (len(boxes),)) for name in ("scores", "seconds"))
            cameras = part(arrays, "cameras", (len(boxes),), least=0, most=sum(BITS.values())).astype(np.uint8)
            _check(made_with)
        except (UserError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise UserError(
                f"Expected the state of a stopped run in '{path}', but it is damaged ({error}); leave --resume out to "
                "begin anew."
            ) from error
        own = {name.removeprefix(TRACKER): value for name, value in arrays.items() if name.startswith(TRACKER)}
        return cls(made_with, boxes, scores, seconds, cameras, own, path)

    def write(self) -> None:
        """Write the file, whole or not at all."""
        arrays = {f"{TRACKER}{name}": value for name, value in self.tracker.items()}
        with replacing(self.path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                made_with=np.array(json.dumps(self.made_with)),
                boxes=self.boxes,
                scores=self.scores,
                seconds=self.seconds,
                cameras=self.cameras,
                **arrays,  # type: ignore[arg-type]
            )

    def check(self, made_with: Mapping[str, Any]) -> None:
        """Refuse to go on with other settings; the message names the first that differs.

        Args:
            made_with: `fingerprint` of the run that wants to go on.

        Raises:
            UserError: a setting differs.
        """
        for key, value in made_with.items():
            earlier = self.made_with.get(key)
            if earlier != value:
                change = f" ({earlier} then, {value} now)" if len(f"{earlier}{value}") < 80 else ""
                raise UserError(
                    f"Cannot go on from '{self.path}': the run that stopped had another {key}{change}; {ANEW}"
                )

    def replay(self, frames: Iterator[Frame], tracker: Tracker, lost_below: float) -> Iterator[Step]:
        """Start the tracker on the first frame, tell again what was tracked, and leave it as it was then.

        Args:
            frames: from `start` on; those before `end` are taken. Reading them too, and not only the first, lets
                whatever lies between file and tracker be as it was.
        """
        given = self.given
        for number in range(len(self.boxes)):
            frame = next(frames, None)
            if frame is None:
                return
            if number == 0:
                tracker.initialize(frame.rgb, frame.ir, given[self.start])
                self._restore(tracker)
            x, y, w, h = (float(value) for value in self.boxes[number])
            used = tuple(camera for camera, bit in BITS.items() if self.cameras[number] & bit)
            score = float(self.scores[number])
            told = self.start + number in given
            result = Result((x, y, w, h), score, not told and score < lost_below, cameras=used)
            yield Step(frame, result, float(self.seconds[number]), told)

    def _restore(self, tracker: Tracker) -> None:
        try:
            tracker.restore(self.tracker)
        except ValueError as error:
            raise UserError(f"The tracker's state in '{self.path}' is damaged ({error}); {ANEW}") from error


def _check(made_with: Any) -> None:
    """Raise ValueError, TypeError or KeyError for settings that do not say where the run began."""
    start, given = int(made_with["start"]), made_with["boxes"]
    if start < 0 or str(start) not in given:
        raise ValueError("it does not say where the run began")
    for frame, box in given.items():
        if int(frame) < start or len(box) != 4 or not all(np.isfinite(float(value)) for value in box):
            raise ValueError("it was given boxes that are none")


def fingerprint(settings: TrackerConfig, tracker: Tracker, info: SequenceInfo, maps: bool) -> dict[str, Any]:
    """What must be the same for a run to go on, by the words for it."""
    facts: dict[str, Any] = {"sequence": info.source or info.name, "number of frames": info.length, "--maps": maps}
    facts["reading of the sequence"] = list(info.notes)
    for key, value in settings.model_dump(mode="json").items():
        facts |= {f"{key}.{name}": part for name, part in value.items()} if isinstance(value, dict) else {key: value}
    # What is loaded counts, not what it is called.
    return {**facts, "runtime": tracker.runtime.name, "weights": tracker.runtime.digest()}


class StateKeeper:
    """Writes the state of a run every `EVERY` seconds, and when it stops; removes it when the run has ended.

    Args:
        path: of the file.
        tracker: whose state counts between two frames.
        log: of the run.
        given: frame -> box that the run is given for it.
        made_with: gives the `fingerprint`, which takes a while; asked for once, when the first state is written.
        resumed: the run that this one goes on with; until it has told again what was tracked, its state stands.
        clock: seconds.
    """

    def __init__(
        self,
        path: Path,
        tracker: Tracker,
        log: Log,
        given: Mapping[int, Box],
        made_with: Callable[[], Mapping[str, Any]],
        resumed: State | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._tracker, self._log = path, tracker, log
        self._given, self._made_with = {str(frame): box for frame, box in given.items()}, cache(made_with)
        self._clock, self._written = clock, clock()
        self._known = len(resumed.boxes) if resumed else 0
        self._kept: tuple[int, dict[str, NDArray[Any]]] | None = None

    @property
    def replaying(self) -> bool:
        """Whether nothing was tracked yet that the file does not hold."""
        return len(self._log) <= self._known

    def after_frame(self) -> None:
        """Between two frames: keep the state at first, and write it when it is time."""
        if len(self._log) < self._known:
            return
        if self._kept is None or self._clock() - self._written >= EVERY:
            first = self._kept is None
            self._kept = len(self._log), self._tracker.state()
            if not first:
                self._write()

    def stopped(self, between: bool) -> int:
        """Write the state of a run that stops early; return the number of the frame to go on with.

        Args:
            between: whether it stopped between two frames. Inside of one the tracker is in no state to go on from, and
                that of an earlier frame is written.
        """
        if between or self._kept is None:
            self._kept = len(self._log), self._tracker.state()
        self._write()
        return self._log.start + self._kept[0]

    def ended(self) -> None:
        """Remove what is of no use any more."""
        self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        assert self._kept is not None
        count, state = self._kept
        log, made_with = self._log, {**self._made_with(), "start": self._log.start, "boxes": self._given}
        State(
            made_with,
            log.boxes[:count],
            log.scores[:count],
            log.seconds[:count],
            log.cameras[:count],
            state,
            self._path,
        ).write()
        self._written = self._clock()
