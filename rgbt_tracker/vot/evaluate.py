"""``rgbt vot evaluate``: the workspace's experiments without TraX, over several processes, devices or machines.

Result files are those of ``vot evaluate``, bit for bit, but for the measured times.
"""

from __future__ import annotations

import ast
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.extras import require
from rgbt_tracker.vot.adapter import options_from
from rgbt_tracker.vot.session import Session, TrackerOptions, open_session

ADAPTER = "rgbt_tracker.vot.adapter"


@dataclass(frozen=True)
class Job:
    """One tracker on one sequence under one experiment of a workspace."""

    workspace: str
    tracker: str
    experiment: str
    sequence: str
    device: str | None = None
    replay: bool = True
    force: bool = False

    def __str__(self) -> str:
        return f"{self.tracker}/{self.experiment}/{self.sequence}"


TOOLKIT = ("trax", "vot.region")


@lru_cache(maxsize=2)
def load_workspace(directory: str) -> Any:
    """Load a vot workspace.

    Raises:
        UserError: not a workspace, or one without sequences.
    """
    require("vot", *TOOLKIT)
    from vot import ToolkitException
    from vot.workspace import Workspace

    root = Path(directory)
    if not (root / "config.yaml").is_file():
        raise UserError(f"Expected a workspace with a config.yaml in '{root}', found none; see --workspace.")
    sequences = root / _setting(root, "sequences", "sequences")
    if not (sequences / "list.txt").is_file():
        raise UserError(f"There are no sequences in '{sequences}' (no list.txt); type 'rgbt vot prepare' first.")
    try:
        return Workspace.load(str(root))
    except (ToolkitException, ImportError, AssertionError) as error:
        raise UserError(f"The toolkit cannot load the workspace '{root}': {error}.") from error


def _setting(root: Path, key: str, default: str) -> str:
    import yaml

    content = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8")) or {}
    return str(content.get(key, default))


def tracker_options(tracker: Any) -> TrackerOptions:
    """The arguments of the adapter in a registry row's command.

    Raises:
        UserError: the row does not use our adapter.
    """
    refusal = UserError(
        f"The tracker '{tracker.identifier}' in '{tracker.source}' does not run on {ADAPTER}; use 'vot evaluate'."
    )
    command = str(tracker.describe()["command"])
    try:
        tree = ast.parse(command)
    except SyntaxError as error:
        raise refusal from error
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "main"]
    if ADAPTER not in command or len(calls) != 1:
        raise refusal
    return options_from({word.arg or "**": ast.literal_eval(word.value) for word in calls[0].keywords})


def plan(
    workspace: str,
    trackers: list[str],
    experiments: list[str],
    sequences: list[str],
    *,
    replay: bool = True,
    force: bool = False,
) -> list[Job]:
    """The jobs that have no complete results yet (all with ``force``), in the order of the workspace.

    Raises:
        UserError: an unknown tracker, experiment or sequence, with the nearest name.
    """
    space = load_workspace(workspace)
    _check_names("tracker", trackers, space.registry.identifiers())
    _check_names("experiment", experiments, space.stack.experiments)
    _check_names("sequence", sequences, [item.name for item in space.dataset])
    jobs = []
    for tracker in trackers:
        tracker_options(space.registry[tracker])
        for name in experiments or space.stack.experiments:
            for sequence in space.stack.experiments[name].transform(list(space.dataset)):
                wanted = not sequences or sequence.name in sequences
                if wanted and (force or not space.stack.experiments[name].scan(space.registry[tracker], sequence)[0]):
                    jobs.append(Job(workspace, tracker, name, sequence.name, replay=replay, force=force))
    return jobs


def _check_names(kind: str, given: list[str], known: Any) -> None:
    for name in given:
        if name not in known:
            raise UserError(f"Unknown {kind} '{name}'{suggestion(name, known)} Known: {', '.join(known)}.")


@lru_cache(maxsize=1)
def _session(options: TrackerOptions) -> Session:
    """One model at a time in a process."""
    return open_session(options)


def run_job(job: Job, callback: Callable[[float], None] | None = None, storage: str | None = None) -> Job:
    """Run one job in this process and write its result files.

    Args:
        callback: called with the share that is done, 0..1.
        storage: write below this folder instead of the workspace.

    Raises:
        UserError: bad input or a failing tracker.
    """
    from vot.workspace import LocalStorage

    from rgbt_tracker.vot.experiment import EvaluationError
    from rgbt_tracker.vot.inprocess import InProcessTracker

    space = load_workspace(job.workspace)
    experiment = space.stack.experiments[job.experiment]
    tracker = space.registry[job.tracker]
    options = tracker_options(tracker)
    session = _session(replace(options, device=job.device or options.device))
    timed = experiment.realtime is not None
    local = InProcessTracker.of(tracker, session, replay=job.replay and not timed, read_ahead=not timed)
    local._storage = LocalStorage(storage) if storage else None
    sequence = next(item for item in experiment.transform(list(space.dataset)) if item.name == job.sequence)
    try:
        experiment.execute(local, sequence, force=job.force, callback=callback)
    except EvaluationError as error:
        raise UserError(str(error)) from error
    except UserError as error:
        raise UserError(f"{job}: {error}") from error
    return job


def run_parallel(jobs: list[Job], workers: int, devices: list[str]) -> Iterator[Job]:
    """Run jobs in ``workers`` processes, given the devices in turn; yields each as it is done. Stops at an error."""
    context = multiprocessing.get_context("spawn")
    free = context.Queue()
    for index in range(workers):
        free.put(devices[index % len(devices)] if devices else None)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_take_device, initargs=(free,)) as pool:
        pending = {pool.submit(_run_in_worker, job) for job in jobs}
        try:
            while pending:
                done, pending = wait(pending, timeout=0.5, return_when=FIRST_EXCEPTION)
                for future in done:
                    yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_device: str | None = None


def _take_device(free: Any) -> None:
    """Give this worker its device for good."""
    global _device
    _device = free.get()


def _run_in_worker(job: Job) -> Job:
    return run_job(replace(job, device=_device or job.device))
