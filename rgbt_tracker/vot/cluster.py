"""``rgbt vot evaluate --cluster``: sequences over the machines of a Ray cluster.

Every machine needs this package and the workspace (with its sequences) at the same path; results come back as bytes
and are written here, so no common disk is needed for them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nestfuse_core.common.files import replacing
from rgbt_tracker.vot.evaluate import Job, run_job


def run_on_cluster(jobs: list[Job], ray: Any, gpus: float = 0.0) -> Iterator[Job]:
    """Run jobs as Ray tasks on the cluster ``ray`` is connected to; yields each when its files are here.

    Args:
        ray: the ray module, or anything with its ``init``, ``remote``, ``wait`` and ``get``.
        gpus: share of a GPU that a task takes.
    """
    ray.init(address="auto", ignore_reinit_error=True)
    task = ray.remote(num_cpus=1, num_gpus=gpus)(run_to_bytes)
    running = {task.remote(job): job for job in jobs}
    while running:
        done, _ = ray.wait(list(running), num_returns=1)
        for reference in done:
            job = running.pop(reference)
            collect(job, ray.get(reference))
            yield job


def run_to_bytes(job: Job) -> dict[str, bytes]:
    """Run a job away from the workspace's results: path below ``results`` -> content."""
    with tempfile.TemporaryDirectory(prefix="rgbt-vot-") as folder:
        run_job(job, storage=folder)
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {path.relative_to(Path(folder) / "results").as_posix(): path.read_bytes() for path in files}


def collect(job: Job, files: dict[str, bytes]) -> None:
    """Write a job's files into its workspace, trajectories last, as they mark a repetition as done."""
    root = Path(job.workspace) / "results"
    for name in sorted(files, key=lambda name: not name.endswith(".value")):
        with replacing(root / name) as temporary:
            temporary.write_bytes(files[name])
