"""Run many jobs: in this process, in several, or on a cluster; a stopped run goes on where it was.

A `Job` says what to run: a tracker's setup, a sequence and an experiment, which is a protocol (one pass, with resets,
those of a VOT workspace) with its parameters. A `Worker` runs jobs and puts their results into its store; `run_jobs`
and `rgbt_tracker.evaluation.cluster.run_on_cluster` give the same jobs to one worker or to many.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ClassVar

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.memory import keep_freed_memory
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.evaluation.reset import run_with_resets
from rgbt_tracker.evaluation.store import Store
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.sequences.prefetch import prefetch
from rgbt_tracker.tracking.run import track_sequence

Progress = Callable[["Job", float], None]
"""Called with a job and the share of it that is done, 0..1."""
Done = tuple["Job", Any]
"""A job and what its experiment returned."""
AHEAD = 2
"""Jobs a process that wait for it, so that a plan that opens sequences need not be made whole before the first runs."""


@dataclass(frozen=True)
class Setup:
    """How to build the tracker, in each process: the arguments of `rgbt_tracker.build_tracker`."""

    config: TrackerConfig
    weights: str | None = None
    device: str = "auto"

    def build(self, device: str | None = None) -> Any:
        """Return the tracker, on ``device`` if one is given.

        Raises:
            UserError: what `build_tracker` raises.
        """
        from rgbt_tracker import build_tracker

        return build_tracker(self.config, self.weights, device or self.device)

    def record(self) -> dict[str, Any]:
        """What decides the results, to compare with an earlier run: configuration, weights and the weights' digest.

        Raises:
            UserError: no such weights.
        """
        from rgbt_tracker.api import UNTRAINED
        from rgbt_tracker.zoo.store import file_hash, resolve

        weights, used = self.weights, self.weights or self.config.weights
        digest = None if used in (None, UNTRAINED) else f"sha256:{file_hash(resolve(str(used)))}"
        if weights and Path(weights).is_file():
            weights = f"{Path(weights).name} {digest}"
        return {"config": self.config.model_dump(mode="json"), "weights": weights, "digest": digest}


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


class Experiment(ABC):
    """A protocol with its parameters."""

    result: ClassVar[Callable[..., Any]]
    """Class of what `run` returns."""

    @abstractmethod
    def run(self, job: Job, worker: Worker, on_progress: Callable[[float], None]) -> Any:
        """Run the job with the worker's tracker and frames, and return the result.

        Args:
            on_progress: may be called with the share that is done, 0..1.
        """


@dataclass(frozen=True)
class OnePass(Experiment):
    """Start on the first frame and follow the target to the last one.

    Attributes:
        box: x, y, w, h in the first frame; the ground truth's by default.
        start: the frame that counts as first, 0-based.
        read_ahead: let a thread decode the frames.
    """

    result: ClassVar[Callable[..., Any]] = Trajectory
    box: tuple[float, float, float, float] | None = None
    start: int = 0
    read_ahead: bool = True

    def run(self, job: Job, worker: Worker, on_progress: Callable[[float], None]) -> Any:
        return self.follow(worker.tracker(job.setup), worker.sequence(job.sequence))

    def follow(self, tracker: Any, sequence: FrameSequence) -> Trajectory:
        """Return the track of a tracker on a sequence."""
        part = sequence.clip(self.start) if self.start else sequence
        return track_sequence(tracker, prefetch(part) if self.read_ahead else part, box=self.box)


@dataclass(frozen=True)
class Reset(Experiment):
    """Start again some frames after each failure, from frame ``start`` on."""

    result: ClassVar[Callable[..., Any]] = Trajectory
    start: int = 0

    def run(self, job: Job, worker: Worker, on_progress: Callable[[float], None]) -> Any:
        return run_with_resets(worker.tracker(job.setup), self.part(worker.sequence(job.sequence)))

    def part(self, sequence: FrameSequence) -> FrameSequence:
        """The sequence from the first start on."""
        return sequence.clip(self.start) if self.start else sequence


class Worker:
    """Runs jobs in one process: keeps the trackers it has built and the sequence it opened last, and fills the store.

    Args:
        store: gets the results.
        models: how many trackers to keep; the one used longest ago makes room. A plan that goes through its setups one
            after the other needs one.
        device: of all trackers, in place of their own.
    """

    def __init__(self, store: Store, models: int = 1, device: str | None = None) -> None:
        self.store, self.models, self.device = store, models, device
        self._trackers: list[tuple[Any, Any]] = []
        self._opened: tuple[Source, FrameSequence] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # Another process builds and opens for itself.
        return {**self.__dict__, "_trackers": [], "_opened": None}

    def tracker(self, setup: Any) -> Any:
        """The setup's tracker, built when it is asked for the first time."""
        index = next((index for index, (known, _) in enumerate(self._trackers) if known == setup), None)
        if index is None:
            del self._trackers[: len(self._trackers) + 1 - self.models]
            self._trackers.append((setup, setup.build(self.device)))
        else:
            self._trackers.append(self._trackers.pop(index))
        return self._trackers[-1][1]

    def sequence(self, source: Source) -> FrameSequence:
        """The frames of a source, opened once as long as no other is asked for."""
        if self._opened is None or self._opened[0] != source:
            self._opened = None
            self._opened = source, source.open()
        return self._opened[1]

    def run(self, job: Job, on_progress: Callable[[float], None] = lambda share: None) -> Any:
        """Run one job, put its result into the store and return it."""
        result = job.experiment.run(job, self, on_progress)
        self.store.save(job, result)
        return result


def run_jobs(
    jobs: Iterable[Job],
    worker: Worker,
    processes: int = 1,
    *,
    devices: Sequence[str] = (),
    share_cores: bool = True,
    on_progress: Progress = lambda job, share: None,
) -> Iterator[Done]:
    """Run jobs and yield each with its result as soon as it is done; stops at the first that fails.

    Args:
        jobs: asked for as they are needed; `rgbt_tracker.evaluation.store.unfinished` leaves out what is done.
        worker: runs them here, or is copied into each process.
        processes: one, or a single job, is run in this process.
        devices: that the processes take in turn.
        share_cores: give each process its part of the cores; not where threads are part of a tracker's setup.
        on_progress: of the running job, in this process alone.

    Raises:
        UserError: bad input, a failing tracker, or a process that was killed. Jobs that other processes were busy
            with are brought to their end.
    """
    waiting = iter(jobs)
    first = list(islice(waiting, 2))
    jobs = chain(first, waiting)
    if processes <= 1 or len(first) <= 1:
        for job in jobs:
            yield job, worker.run(job, lambda share, job=job: on_progress(job, share))  # type: ignore[misc]
        return
    threads = max(1, (os.cpu_count() or 1) // processes) if share_cores else None
    yield from _run_in_processes(jobs, worker, processes, devices, threads)


def _run_in_processes(
    jobs: Iterable[Job], worker: Worker, processes: int, devices: Sequence[str], threads: int | None
) -> Iterator[Done]:
    # Spawned, not forked: a forked child inherits torch's thread pool and CUDA context in an unusable state.
    context = get_context("spawn")
    free: Any = context.Queue()
    for index in range(processes):
        free.put(devices[index % len(devices)] if devices else worker.device)
    running = {}
    with ProcessPoolExecutor(processes, context, _start_process, (worker, free, threads)) as pool:
        try:
            for job in jobs:
                running[pool.submit(_run_in_process, job)] = job
                if len(running) >= AHEAD * processes:
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        yield running.pop(future), future.result()
            for future in as_completed(running):
                yield running[future], future.result()
        except BrokenProcessPool:
            raise UserError(
                "A worker process was ended from outside (out of memory?); run the command again to go on, with fewer "
                "workers if it happens again."
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_process: list[Worker] = []
"""The worker of a process of the pool. A pool hands an initializer's objects to its jobs in no other way."""


def _start_process(worker: Worker, free: Any, threads: int | None) -> None:
    keep_freed_memory()
    worker.device = free.get()
    _process[:] = [worker]
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _run_in_process(job: Job) -> Any:
    return _process[0].run(job)
