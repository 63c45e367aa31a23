"""Run a tracker over the sequences of a benchmark: several processes, and a stopped run goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import write_text
from nestfuse_core.common.memory import keep_freed_memory
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.evaluation.groundtruth import Benchmark
from rgbt_tracker.evaluation.one_pass import present
from rgbt_tracker.sequences.base import FrameSequence

SETTINGS = "settings.json"


@dataclass(frozen=True)
class Setup:
    """How to build the tracker, in each process: the arguments of `rgbt_tracker.build_tracker`."""

    config: TrackerConfig
    weights: str | None = None
    device: str = "auto"

    def build(self) -> Any:
        """Return the tracker."""
        from rgbt_tracker import build_tracker

        return build_tracker(self.config, self.weights, self.device)

    def record(self) -> dict[str, Any]:
        """What decides the results, to compare with an earlier run: the configuration and the weights' digest."""
        weights = self.weights
        if weights and Path(weights).is_file():
            weights = f"{Path(weights).name} sha256:{hashlib.sha256(Path(weights).read_bytes()).hexdigest()}"
        return {"config": self.config.model_dump(mode="json"), "weights": weights}


@dataclass(frozen=True)
class Job:
    """One sequence to track: its folder of images and the box x, y, w, h of its first frame."""

    name: str
    folder: Path
    box: tuple[float, float, float, float]

    def open(self) -> FrameSequence:
        """Return the frames."""
        from rgbt_tracker.sequences import open_sequence

        return open_sequence(self.folder)


def plan(benchmark: Benchmark, modality: str, only: Sequence[str] = ()) -> list[Job]:
    """Return a job for each sequence; a thermal tracker starts on the thermal annotation, the others on the visible.

    Raises:
        UserError: an unknown name in ``only``, no images, or a first frame without target.
    """
    unknown = [name for name in only if name not in benchmark.sequences]
    if unknown:
        raise UserError(f"{benchmark.rules.title} has no sequence '{unknown[0]}' in this folder.")
    jobs = []
    for name in only or benchmark.sequences:
        annotation = benchmark.sequences[name]
        if annotation.folder is None:
            raise UserError(
                f"Only the annotations of '{name}' are here; pass --sequences with the folder of its images."
            )
        first = annotation.truths[-1 if modality == "ir" else 0][0]
        if not present(first):
            raise UserError(f"'{name}' has no target in its first frame: {', '.join(f'{value:g}' for value in first)}.")
        x, y, w, h = (float(value) for value in first)
        jobs.append(Job(name, annotation.folder, (x, y, w, h)))
    return jobs


def check_settings(folder: Path, record: dict[str, Any]) -> None:
    """Write ``settings.json``, or compare with the one that is there.

    Raises:
        UserError: the results in ``folder`` were made with other settings (names the first that differs), or these
            cannot be read.
    """
    path = folder / SETTINGS
    record = json.loads(json.dumps(record))
    if path.is_file():
        try:
            earlier = dict(_leaves(json.loads(path.read_text(encoding="utf-8"))))
        except ValueError:
            raise UserError(
                f"Expected the settings of earlier results in '{path}', but it is damaged; delete '{folder}' or pass "
                "another --name."
            ) from None
        for key, value in _leaves(record):
            if earlier.get(key) != value:
                raise UserError(
                    f"The results in {folder} were made with {key} = {earlier.get(key)}, now it is {value}: "
                    "pass another --name, or remove the folder."
                )
    else:
        write_text(path, json.dumps(record, indent=2) + "\n")


def _leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, tree


def finished(folder: Path, name: str) -> bool:
    """Whether the sequence is done: the boxes are written last, and whole."""
    return (folder / f"{name}.txt").is_file()


def run_jobs(
    setup: Setup,
    jobs: Sequence[Job],
    folder: Path,
    *,
    workers: int = 1,
    on_done: Callable[[str, int, float], None] = lambda name, frames, seconds: None,
) -> None:
    """Track every sequence that is not finished yet and write its files to ``folder``.

    Args:
        setup: of the tracker.
        jobs: from `plan`.
        folder: ``OUTPUT/TRACKER``; gets the files of `rgbt_tracker.results.write.write_results`.
        workers: processes; each builds its own tracker and gets its share of the cores.
        on_done: called with name, frames and the tracker's seconds of each finished sequence.
    """
    waiting = [job for job in jobs if not finished(folder, job.name)]
    if workers <= 1 or len(waiting) <= 1:
        tracker = setup.build() if waiting else None
        for job in waiting:
            on_done(*_track(tracker, job, folder))
        return
    threads = max(1, (os.cpu_count() or 1) // workers)
    # Spawned, not forked: a forked child inherits torch's thread pool and CUDA context in an unusable state.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker, initargs=(setup, threads))
    with pool:
        pending = [pool.submit(_track_in_worker, job, folder) for job in waiting]
        try:
            for future in as_completed(pending):
                on_done(*future.result())
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


_worker: list[Any] = []  # the tracker of this process, set by _start_worker


def _start_worker(setup: Setup, threads: int) -> None:
    import torch

    keep_freed_memory()
    torch.set_num_threads(threads)
    _worker[:] = [setup]


def _track_in_worker(job: Job, folder: Path) -> tuple[str, int, float]:
    # Built here and not in the initializer, whose errors a pool reports only as "terminated abruptly".
    if isinstance(_worker[0], Setup):
        _worker[0] = _worker[0].build()
    return _track(_worker[0], job, folder)


def _track(tracker: Any, job: Job, folder: Path) -> tuple[str, int, float]:
    from rgbt_tracker.results.write import write_results
    from rgbt_tracker.sequences import prefetch
    from rgbt_tracker.tracking.run import track_sequence

    track = track_sequence(tracker, prefetch(job.open()), box=job.box)
    write_results(folder, job.name, track.boxes, track.scores, track.seconds)
    return job.name, len(track.boxes), float(np.sum(track.seconds))
