"""A tracker as the VOT toolkit sees it: regions in, regions out, whoever carries the messages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.memory import keep_freed_memory
from rgbt_tracker.boxes import Box
from rgbt_tracker.config import MODALITIES
from rgbt_tracker.results.regions import box_to_region, is_usable, region_to_box
from rgbt_tracker.sequences.images import FrameFormat
from rgbt_tracker.tracking.factory import from_factory
from rgbt_tracker.tracking.interface import SingleObjectTracker

CHANNELS = {"rgb": "color", "ir": "ir"}
"""Camera -> the toolkit's name of its channel."""


def log_to_stderr(line: str) -> None:
    """One line that the toolkit forwards to its user."""
    print(f"[rgbt] {line}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class TrackerOptions:
    """The arguments of a row in ``trackers.ini``.

    Attributes:
        config, weights, device, modality, runtime: as in ``build_tracker``; None is its default.
            A factory has ``modality``, the cameras that its tracker reads, both by default, and is given ``weights``.
        threads: of the CPU; None keeps the runtime's default. Results of a convolution can differ in the last bits
            between thread counts, so a row fixes it.
        factory: ``module:function`` that returns another object with ``initialize`` and ``update``, in place of config.
    """

    config: str | None = None
    weights: str | None = None
    device: str | None = None
    modality: str | None = None
    runtime: str | None = None
    threads: int | None = None
    factory: str | None = None


def build(options: TrackerOptions) -> Session:
    """Return a session with the tracker of these options.

    Raises:
        UserError: the factory cannot be imported, or what ``build_tracker`` raises.
    """
    if options.factory is not None:
        return Session(from_factory(options.factory, options.weights), _cameras(options.modality))
    if options.config is None:
        raise UserError("Expected config='NAME' (or factory='module:function') in the tracker's command, got neither.")
    from rgbt_tracker import build_tracker

    keep_freed_memory()  # this process is the tracker's own, or one of our commands
    tracker = build_tracker(
        options.config,
        weights=options.weights,
        device=options.device or "auto",
        modality=options.modality,  # type: ignore[arg-type]
        runtime=options.runtime or "auto",
        threads=options.threads or None,
    )
    return Session(tracker, tracker.config.modalities, str(tracker.device))


def _cameras(modality: str | None) -> tuple[str, ...]:
    if modality is not None and modality not in MODALITIES:
        raise UserError(f"Expected modality='rgbt', 'rgb' or 'ir' in the tracker's command, got '{modality}'.")
    return MODALITIES[modality or "rgbt"]


@dataclass
class Session:
    """One tracker with the guards of the protocol: it answers in the form of the region it was started with, never with
    NaN, and says so when it had to repeat its last box.

    Attributes:
        cameras: those it reads, of "rgb" and "ir".
        device: where it computes, as far as we know.
        log: called with one line of text.
    """

    tracker: SingleObjectTracker
    cameras: tuple[str, ...]
    device: str = "cpu"
    log: Callable[[str], None] = log_to_stderr
    _form: ArrayLike | None = None
    _last: Box = (0.0, 0.0, 1.0, 1.0)
    _repeats: int = field(default=0)
    _forms: dict[str, FrameFormat] = field(init=False)

    def __post_init__(self) -> None:
        self._forms = {camera: FrameFormat(camera) for camera in self.cameras}

    @property
    def channels(self) -> list[str]:
        """The toolkit's channels, in the order of the cameras."""
        return [CHANNELS[camera] for camera in self.cameras]

    def read(self, files: dict[str, Path]) -> dict[str, Any]:
        """Read channel -> file into camera -> image."""
        return {camera: self._forms[camera].read(Path(files[CHANNELS[camera]])) for camera in self.cameras}

    def initialize(self, images: dict[str, Any], region: ArrayLike) -> None:
        """Start on a region: (4,) or (2 n,) numbers."""
        self._form, self._repeats = region, 0
        self._last = region_to_box(region)
        self.tracker.initialize(images.get("rgb"), images.get("ir"), self._last)

    def update(self, images: dict[str, Any]) -> tuple[NDArray[Any], str]:
        """Return the region of the next frame and the confidence as it is sent, six decimals."""
        if self._form is None:
            raise UserError("The toolkit sent a frame before an initialisation.")
        result = self.tracker.update(images.get("rgb"), images.get("ir"))
        if is_usable(result.box):
            x, y, w, h = (float(value) for value in result.box)
            self._last, self._repeats = (x, y, w, h), 0
            score = float(result.score)
            return box_to_region(self._last, self._form), f"{score if score == score else 0.0:.6f}"
        if not self._repeats:
            self.log(f"The tracker returned the box {tuple(result.box)}; its last box is sent instead.")
        self._repeats += 1
        return box_to_region(self._last, self._form), "0.000000"


def open_session(options: TrackerOptions, log: Callable[[str], None] = log_to_stderr) -> Session:
    """Build the tracker and say what was built."""
    session = build(options)
    session.log = log
    name, cameras = options.factory or options.config, " + ".join(session.cameras)
    log(f"{name}: {cameras} on {session.device}, weights {options.weights or 'of the configuration'}.")
    return session
