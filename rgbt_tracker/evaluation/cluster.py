"""Jobs over the machines of a Ray cluster.

Every machine needs this package and the jobs' sequences at the same paths; weights travel with the jobs, and results
come back as bytes and are written here, so no common disk is needed for them. A job whose machine is lost is given to
another; one that fails is told at the end, after the others.
"""

from __future__ import annotations

import logging
import os
import platform
import socket
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import require
from nestfuse_core.common.files import file_hash, temporary_folder, write_bytes, write_text
from nestfuse_core.common.processes import end_with_parent
from nestfuse_core.common.reading import read_text
from rgbt_tracker.evaluation.job import Job
from rgbt_tracker.evaluation.runner import Done, Worker
from rgbt_tracker.evaluation.store import Store

TRIES = 3
"""Machines that a job is given to, one after the other."""
KNOCK = 10.0
"""Seconds that a cluster may take to answer."""
TRACEBACKS = "cluster-errors.log"
"""In the store's folder: what jobs that failed left on their machines."""
Notice = Callable[[str], None]


def connect(address: str = "auto") -> Any:
    """Join the cluster at ``address`` (the one that runs on this machine by default) and return Ray.

    Raises:
        UserError: Ray is not installed, there is no cluster, or this machine is none of its own.
    """
    require("cluster", "ray")
    import ray

    listens = False
    try:
        listens = _knock(address)
        ray.init(address=address, ignore_reinit_error=True, log_to_driver=False, logging_level=logging.ERROR)
    except (RuntimeError, ValueError, OverflowError, OSError, ray.exceptions.RayError) as error:
        reason = " ".join(str(error).split())[:120]
        if listens:
            raise UserError(
                f"The Ray cluster at '{address}' does not let this machine in ({reason}); let it join first, with "
                "'ray start --address HOST:6379', and with the cluster's token where it wants one (RAY_AUTH_MODE=token "
                "and RAY_AUTH_TOKEN)."
            ) from error
        raise UserError(
            f"No Ray cluster answers at '{address}' ({reason}); start one with 'ray start --head', or give its "
            "--address HOST:6379."
        ) from error
    return ray


def _knock(address: str) -> bool:
    """Whether somebody listens at HOST:PORT; raise OSError or ValueError where not: Ray itself tries for minutes."""
    if address == "auto":  # what Ray takes it for
        last = Path("/tmp" if sys.platform == "darwin" else tempfile.gettempdir(), "ray", "ray_current_cluster")
        address = os.environ.get("RAY_ADDRESS") or (read_text(last).strip() if last.is_file() else address)
    host, mark, port = address.rpartition(":")
    known = bool(mark) and "://" not in address
    if known:
        socket.create_connection((host.strip("[]"), int(port)), KNOCK).close()
    return known


def run_on_cluster(
    jobs: Iterable[Job], worker: Worker, ray: Any, gpus: float = 0.0, on_notice: Notice = lambda text: None
) -> Iterator[Done]:
    """As `rgbt_tracker.evaluation.runner.run_jobs`, on a cluster; yields a job when its files are here.

    Args:
        ray: what `connect` returned.
        gpus: share of a GPU that a job takes.
        on_notice: called with what happens where: a job that is done, a machine that was lost.

    Raises:
        UserError: jobs failed, or were lost `TRIES` times; the others are done by then.
    """
    crew = _Crew(worker, ray, ray.remote(num_cpus=1, num_gpus=gpus)(RemoteWorker), on_notice)
    waiting = iter(jobs)
    for job in islice(waiting, _places(ray.cluster_resources(), gpus)):
        crew.start(job)
    while crew.running:
        job, answer = crew.next(waiting)
        if answer is not None:
            collect(worker.store, answer.files)
            yield job, answer.result
    crew.report()


@dataclass
class _Turn:
    """A job at a remote worker: how often it has been given away, and whether its worker can take another."""

    job: Job
    actor: Any
    tries: int = 1
    alive: bool = True
    over: bool = False


@dataclass
class _Crew:
    """The remote workers, what they are busy with, and what failed."""

    worker: Worker
    ray: Any
    kind: Any
    on_notice: Notice
    running: dict[Any, _Turn] = field(default_factory=dict)
    weights: dict[Path, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    tracebacks: list[str] = field(default_factory=list)

    def start(self, job: Job, after: _Turn | None = None, tries: int = 1) -> None:
        """Give a job to the worker of an earlier one, or to a new worker."""
        actor = after.actor if after is not None and after.alive else self.kind.remote(self.worker)
        self.running[actor.run.remote(job, self._weights(job))] = _Turn(job, actor, tries)

    def _weights(self, job: Job) -> Any:
        """Name and bytes of the job's weights, which Ray brings to a machine once; None where it has no file."""
        file = job.setup.weights_file()
        if file is None:
            return None
        if file not in self.weights:
            self.weights[file] = self.ray.put((f"{file_hash(file)}{file.suffix}", file.read_bytes()))
        return self.weights[file]

    def next(self, waiting: Iterator[Job]) -> tuple[Job, Answer | None]:
        """Wait for a job's end, and give what is waiting to the worker that is free.

        No reference to a worker outlives this call but those in `running`: one without a job ends, and what is lost
        with its machine finds a place again.
        """
        (reference, *_), _ = self.ray.wait(list(self.running), num_returns=1)
        turn = self.running.pop(reference)
        answer = self._answer(reference, turn)
        for following in islice(waiting, 1) if answer is not None or turn.over else ():
            self.start(following, turn)
        return turn.job, answer

    def _answer(self, reference: Any, turn: _Turn) -> Answer | None:
        """What a job returned; None where it failed or was lost, which is noted, or where it is tried again."""
        errors = self.ray.exceptions
        try:
            answer: Answer = self.ray.get(reference)
        except errors.RayTaskError as error:
            cause = getattr(error, "cause", None) or error
            told = str(cause) if isinstance(cause, UserError) else f"{type(cause).__name__}: {cause}"
            self.failures[str(turn.job)] = told.strip().splitlines()[-1]
            self.tracebacks.append(f"{turn.job}\n{error}\n")
            turn.over = True
            return None
        except errors.RayError as error:
            turn.alive = False
            if turn.tries < TRIES:
                self.on_notice(f"{turn.job}: its worker was lost, again on another")
                self.start(turn.job, turn, turn.tries + 1)
                return None
            self.failures[str(turn.job)] = f"its worker was lost {TRIES} times (out of memory?)"
            self.tracebacks.append(f"{turn.job}\n{error}\n")
            turn.over = True
            return None
        self.on_notice(f"{turn.job} on {answer.node}")
        return answer

    def report(self) -> None:
        """Raise a UserError where jobs failed, after their tracebacks were written; else remove those of before."""
        log = self.worker.store.folder / TRACEBACKS
        if not self.failures:
            log.unlink(missing_ok=True)
            return
        write_text(log, "\n".join(self.tracebacks))
        name, reason = next(iter(self.failures.items()))
        raise UserError(
            f"{len(self.failures)} jobs failed on the cluster, the others are done; the first, {name}: {reason} "
            f"(tracebacks: '{log}'). Run the command again for what is missing."
        )


def _places(resources: dict[str, float], gpus: float) -> int:
    """How many jobs the cluster has room for at a time."""
    room = resources.get("CPU", 1.0)
    return max(1, int(min(room, resources.get("GPU", 0.0) / gpus) if gpus else room))


@dataclass(frozen=True)
class Answer:
    """What a remote worker sends home: files, path below the store's folder -> content; the result; its machine."""

    files: dict[str, bytes]
    result: Any
    node: str


class RemoteWorker:
    """A worker on another machine, which sends the files of each job home."""

    def __init__(self, worker: Worker) -> None:
        end_with_parent()
        self.worker, self.store = worker, worker.store
        self.weights = temporary_folder()
        self.folder = self.weights.__enter__()  # for as long as this process lives; swept by the next otherwise

    def run(self, job: Job, weights: tuple[str, bytes] | None = None) -> Answer:
        """Run a job, with the weights that came along in place of this machine's."""
        if weights is not None:
            job = replace(job, setup=job.setup.with_weights(self._kept(*weights)))
        with temporary_folder() as folder:
            self.worker.store = self.store.elsewhere(folder)
            result = self.worker.run(job)
            files = [path for path in folder.rglob("*") if path.is_file()]
            content = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
        return Answer(content, result, platform.node())

    def _kept(self, name: str, content: bytes) -> Path:
        file = self.folder / name
        if not file.is_file():  # which is called after its content
            write_bytes(file, content)
        return file


def collect(store: Store, files: dict[str, bytes]) -> None:
    """Write a job's files into the store; those that say that the job is done come last."""
    for name in sorted(files, key=store.completes):
        write_bytes(store.folder / name, files[name])
