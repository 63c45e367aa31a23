"""The jobs of a benchmark: each of its sequences in one pass."""

from __future__ import annotations

from collections.abc import Sequence

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.benchmark import Benchmark
from rgbt_tracker.evaluation.job import FactorySetup, Job, OnePass, Setup, Source
from rgbt_tracker.evaluation.per_frame import present
from rgbt_tracker.locate import open_sequence


def plan(benchmark: Benchmark, setup: Setup | FactorySetup, only: Sequence[str] = ()) -> list[Job]:
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
        first = annotation.truths[-1 if setup.modality == "ir" else 0][0]
        if not present(first):
            raise UserError(f"'{name}' has no target in its first frame: {', '.join(f'{value:g}' for value in first)}.")
        x, y, w, h = (float(value) for value in first)
        jobs.append(Job(name, setup, Source(open_sequence, (annotation.folder,)), OnePass(box=(x, y, w, h))))
    return jobs
