"""Run many jobs: in this process, in several, or on a cluster; a stopped run goes on where it was.

A `Job` says what to run: a tracker's setup, a sequence and an experiment, which is a protocol (one pass, with resets,
those of a VOT workspace) with its parameters. A `Worker` runs jobs and puts their results into its store; `run_jobs`
and `rgbt_tracker.evaluation.cluster.run_on_cluster` give the same jobs to one worker or to many.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import get_context
from typing import Any

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.memory import keep_freed_memory
from nestfuse_core.common.processes import end_with_parent, without_ctrl_c
from rgbt_tracker.evaluation.job import Job, Source
from rgbt_tracker.evaluation.store import Store
from rgbt_tracker.sequences.base import FrameSequence

Progress = Callable[["Job", float], None]
"""Called with a job and the share of it that is done, 0..1."""
Done = tuple["Job", Any]
"""A job and what its experiment returned."""
AHEAD = 2
"""Jobs a process that wait for it, so that a plan that opens sequences need not be made whole before the first runs."""


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
            if self._opened is not None:
                self._opened[1].close()
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
            with are brought to their end; Ctrl-C ends them where they are.
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
    stop: Any = context.Event()
    with ProcessPoolExecutor(processes, context, _start_process, (worker, free, threads, stop)) as pool:
        try:
            for job in jobs:
                with without_ctrl_c():  # which starts the processes
                    future = pool.submit(_run_in_process, job)
                running[future] = job
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
        except (KeyboardInterrupt, GeneratorExit):  # Ctrl-C here, or while the caller had the last result
            stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_process: list[Worker] = []
"""The worker of a process of the pool. A pool hands an initializer's objects to its jobs in no other way."""


def _start_process(worker: Worker, free: Any, threads: int | None, stop: Any) -> None:
    end_with_parent(stop)
    keep_freed_memory()
    worker.device = free.get()
    _process[:] = [worker]
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _run_in_process(job: Job) -> Any:
    return _process[0].run(job)
