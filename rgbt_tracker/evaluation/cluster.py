"""Jobs over the machines of a Ray cluster.

Every machine needs this package and the jobs' inputs at the same paths; results come back as bytes and are written
here, so no common disk is needed for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from nestfuse_core.common.files import temporary_folder, write_bytes
from rgbt_tracker.evaluation.job import Job
from rgbt_tracker.evaluation.runner import Done, Worker
from rgbt_tracker.evaluation.store import Store


def run_on_cluster(jobs: Iterable[Job], worker: Worker, ray: Any, gpus: float = 0.0) -> Iterator[Done]:
    """As `rgbt_tracker.evaluation.runner.run_jobs`, on the cluster ``ray`` connects to; yields when the files are here.

    Args:
        ray: the ray module, or anything with its ``init``, ``remote``, ``wait`` and ``get``.
        gpus: share of a GPU that a job takes.
    """
    ray.init(address="auto", ignore_reinit_error=True)
    actor = ray.remote(num_cpus=1, num_gpus=gpus)(RemoteWorker)
    waiting, running = iter(jobs), {}
    for job in islice(waiting, _places(ray.cluster_resources(), gpus)):
        remote = actor.remote(worker)
        running[remote.run.remote(job)] = remote, job
    while running:
        done, _ = ray.wait(list(running), num_returns=1)
        for reference in done:
            remote, job = running.pop(reference)
            files, result = ray.get(reference)
            for following in islice(waiting, 1):
                running[remote.run.remote(following)] = remote, following
            collect(worker.store, files)
            yield job, result


def _places(resources: dict[str, float], gpus: float) -> int:
    """How many jobs the cluster has room for at a time."""
    room = resources.get("CPU", 1.0)
    return max(1, int(min(room, resources.get("GPU", 0.0) / gpus) if gpus else room))


class RemoteWorker:
    """A worker on another machine, which sends the files of each job home."""

    def __init__(self, worker: Worker) -> None:
        self.worker, self.store = worker, worker.store

    def run(self, job: Job) -> tuple[dict[str, bytes], Any]:
        """Return the job's files, path below the store's folder -> content, and its result."""
        with temporary_folder() as folder:
            self.worker.store = self.store.elsewhere(folder)
            result = self.worker.run(job)
            files = [path for path in folder.rglob("*") if path.is_file()]
            return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}, result


def collect(store: Store, files: dict[str, bytes]) -> None:
    """Write a job's files into the store; those that say that the job is done come last."""
    for name in sorted(files, key=store.completes):
        write_bytes(store.folder / name, files[name])
