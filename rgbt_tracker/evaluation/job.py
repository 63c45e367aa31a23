"""What to run: a tracker's setup, a sequence and an experiment, which is a protocol with its parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

from rgbt_tracker.config import MODALITIES, TrackerConfig
from rgbt_tracker.evaluation.reset import run_with_resets
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.sequences.prefetch import prefetch
from rgbt_tracker.tracking.factory import Limited, from_factory
from rgbt_tracker.tracking.run import track_sequence


class Portable:
    """A setup whose tracker can be built on another machine: its weights may lie elsewhere there."""

    def weights_file(self) -> Path | None:
        """The file of its weights on this machine; None where it has none, or only its function knows.

        Raises:
            UserError: no such weights.
        """
        return None

    def with_weights(self, file: Path) -> Any:
        """The same setup with its weights in that file."""
        return replace(self, weights=str(file))  # type: ignore[type-var]


@dataclass(frozen=True)
class Setup(Portable):
    """How to build the tracker, in each process: the arguments of `rgbt_tracker.build_tracker`."""

    config: TrackerConfig
    weights: str | None = None
    device: str = "auto"
    runtime: str = "auto"

    def build(self, device: str | None = None) -> Any:
        """Return the tracker, on ``device`` if one is given.

        Raises:
            UserError: what `build_tracker` raises.
        """
        from rgbt_tracker import build_tracker

        return build_tracker(self.config, self.weights, device or self.device, runtime=self.runtime)

    def weights_file(self) -> Path | None:
        from rgbt_tracker.api import UNTRAINED
        from rgbt_tracker.zoo.store import resolve

        used = self.weights or self.config.weights
        return None if used in (None, UNTRAINED) else resolve(str(used))

    def record(self) -> dict[str, Any]:
        """What decides the results, to compare with an earlier run: configuration, weights, the weights' digest, and
        what computes them here.

        Raises:
            UserError: no such weights.
        """
        from nestfuse_core.common.files import file_hash
        from rgbt_tracker.runtime.choose import choose_onnx

        weights, used = self.weights, self.weights_file()
        exported = None if used is None else choose_onnx(self.config, used, self.device, self.runtime)
        digest = None if used is None else f"sha256:{file_hash(used)}"
        if weights and Path(weights).is_file():
            weights = f"{Path(weights).name} {digest}"
        return {
            "config": self.config.model_dump(mode="json"),
            "weights": weights,
            "digest": digest,
            "runtime": "torch" if exported is None else exported.name,
        }

    @property
    def modality(self) -> str:
        """The cameras it uses: "rgbt", "rgb" or "ir"."""
        return self.config.modality

    @property
    def name(self) -> str:
        """What results are called after."""
        return f"{self.config.name}-{self.modality}"


@dataclass(frozen=True)
class FactorySetup(Portable):
    """How to build a tracker that is not ours: the arguments of `rgbt_tracker.tracking.factory.from_factory`.

    Attributes:
        modality: the cameras that it is shown, "rgbt", "rgb" or "ir".
    """

    factory: str
    weights: str | None = None
    modality: str = "rgbt"

    def build(self, device: str | None = None) -> Any:
        """Return the tracker, which chooses its device by itself.

        Raises:
            UserError: what `from_factory` raises.
        """
        return Limited(from_factory(self.factory, self.weights), MODALITIES[self.modality])

    def weights_file(self) -> Path | None:
        file = Path(self.weights or "")
        return file if file.is_file() else None

    def record(self) -> dict[str, Any]:
        """What decides the results, as far as we know."""
        return {"factory": self.factory, "weights": self.weights, "modality": self.modality}

    @property
    def name(self) -> str:
        """What results are called after: the function."""
        return f"{self.factory.partition(':')[2]}-{self.modality}"


@dataclass(frozen=True)
class Source:
    """A sequence that is not open yet: a function of a module with its arguments, which can be sent to a process.

    Attributes:
        cached: keep the frames in memory, for a sequence that several jobs in a row run over.
    """

    function: Callable[..., FrameSequence]
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    cached: bool = False

    def open(self) -> FrameSequence:
        """Return the frames."""
        sequence = self.function(*self.arguments, **self.options)
        return sequence.cached() if self.cached else sequence


@dataclass(frozen=True)
class Job:
    """What to run.

    Attributes:
        name: of the result in the store, "/" between folders.
        setup: builds the tracker: `Setup`, or anything with its ``build``; equal setups share one tracker.
        sequence: the frames; a sequence's name where the experiment finds them by itself.
        experiment: what is done with both.
        made_with: what the result depends on, for stores that keep it with each result.
    """

    name: str
    setup: Any
    sequence: Any
    experiment: Experiment
    made_with: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


class Provider(Protocol):
    """What runs jobs, and gives each its tracker and its frames."""

    store: Any

    def tracker(self, setup: Any) -> Any:
        """The setup's tracker."""

    def sequence(self, source: Source) -> FrameSequence:
        """The frames of a source."""


class Experiment(ABC):
    """A protocol with its parameters."""

    result: ClassVar[Callable[..., Any]]
    """Class of what `run` returns."""

    @abstractmethod
    def run(self, job: Job, worker: Provider, on_progress: Callable[[float], None]) -> Any:
        """Run the job with the worker's tracker and frames, and return the result.

        Args:
            on_progress: may be called with the share that is done, 0..1.
        """


@dataclass(frozen=True)
class OnClip(Experiment):
    """An experiment on part of a sequence.

    Attributes:
        start: the frame that counts as first, 0-based.
        length: how many frames, at most; None for all.
    """

    result: ClassVar[Callable[..., Any]] = Trajectory
    start: int = 0
    length: int | None = None

    def run(self, job: Job, worker: Provider, on_progress: Callable[[float], None]) -> Any:
        tracker = worker.tracker(job.setup)
        return self.follow(tracker, self.clip(worker.sequence(job.sequence)))

    def clip(self, sequence: FrameSequence) -> FrameSequence:
        """The part of a sequence."""
        return sequence.clip(self.start, self.length) if self.start or self.length else sequence

    @abstractmethod
    def follow(self, tracker: Any, clip: FrameSequence) -> Trajectory:
        """Run a tracker over that part."""


@dataclass(frozen=True)
class OnePass(OnClip):
    """Start on the first frame and follow the target to the last one.

    Attributes:
        box: x, y, w, h in the first frame; the ground truth's by default.
        read_ahead: let a thread decode the frames.
    """

    box: tuple[float, float, float, float] | None = None
    read_ahead: bool = True

    def follow(self, tracker: Any, clip: FrameSequence) -> Trajectory:
        return track_sequence(tracker, prefetch(clip) if self.read_ahead else clip, box=self.box)


@dataclass(frozen=True)
class Reset(OnClip):
    """Start again some frames after each failure."""

    def follow(self, tracker: Any, clip: FrameSequence) -> Trajectory:
        return run_with_resets(tracker, clip)
