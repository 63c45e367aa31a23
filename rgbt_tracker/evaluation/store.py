"""Where results are kept: which jobs are done already, and whether they were made with the same settings.

One rule lets a stopped run go on: a job whose result is in the store is not run again (`unfinished`). One check tells
results of other settings apart: `difference` of what each was made with.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import write_text
from nestfuse_core.common.sections import read_json
from rgbt_tracker.evaluation.job import Job
from rgbt_tracker.results.settings import BENCHMARK, SETTINGS
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.results.write import write_results

LATER_KEYS = (BENCHMARK, "digest")
"""What records of earlier versions lack, so that its absence says nothing."""


class Store(ABC):
    """A folder of results, each of them whole or not there.

    Attributes:
        folder: below which everything lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def has(self, job: Job) -> bool:
        """Whether the job's whole result is there."""

    @abstractmethod
    def save(self, job: Job, result: Any) -> None:
        """Keep what the job's experiment returned."""

    def completes(self, file: str) -> bool:
        """Whether a file of this name says that its result is whole: it is to be written after the others."""
        return True

    def elsewhere(self, folder: Path) -> Store:
        """The same store in another, empty folder, whose files may be copied over from there."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, folder=folder)
        return other


class Unkept(Store):
    """Keeps nothing: every job is run, and its result is what the runner yields."""

    def __init__(self) -> None:
        super().__init__(Path())

    def has(self, job: Job) -> bool:
        return False

    def save(self, job: Job, result: Any) -> None:
        """Nothing is kept."""


class ResultFolder(Store):
    """Tracks as text: ``NAME.txt``, its scores and its times, of one tracker, and ``settings.json``."""

    def has(self, job: Job) -> bool:
        return (self.folder / f"{job.name}.txt").is_file()

    def save(self, job: Job, result: Trajectory) -> None:
        write_results(self.folder, job.name, result)

    def completes(self, file: str) -> bool:
        return not file.endswith(("_scores.txt", "_time.txt"))

    def check(self, made_with: dict[str, Any]) -> None:
        """Write ``settings.json``, or compare with the one that is there.

        Raises:
            UserError: the results were made with other settings (names the first that differs), or these cannot be
                read.
        """
        path = self.folder / SETTINGS
        if not path.is_file():
            write_text(path, json.dumps(made_with, indent=2) + "\n")
            return
        remedy = "pass another --name, or remove the folder."
        try:
            earlier = read_json(path)
        except ValueError:
            raise UserError(
                f"Expected the settings of earlier results in '{path}', but it is damaged; delete '{self.folder}' or "
                "pass another --name."
            ) from None
        refuse_difference(f"The results in {self.folder}", earlier, made_with, remedy)


class KeptFigures(Store):
    """One JSON file a job, ``NAME.json``: what its experiment returned, a dataclass of plain values, and its settings.

    A job is done if its file was made with the job's own settings; otherwise it is run again.
    """

    def has(self, job: Job) -> bool:
        return self.load(job) is not None

    def load(self, job: Job) -> Any | None:
        """The kept figures, or None when there are none of these settings.

        Raises:
            UserError: a damaged file.
        """
        path = self._path(job)
        if not path.is_file():
            return None
        try:
            content = read_json(path)
            if difference(content["made_with"], job.made_with) is not None:
                return None
            return job.experiment.result(**content["result"])
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UserError(f"Expected a kept run in '{path}', but it is damaged; delete it to run again.") from None

    def save(self, job: Job, result: Any) -> None:
        write_text(self._path(job), json.dumps({"made_with": job.made_with, "result": asdict(result)}))

    def _path(self, job: Job) -> Path:
        return self.folder / f"{job.name}.json"


def unfinished(jobs: Iterable[Job], store: Store, on_kept: Callable[[Job], None] = lambda job: None) -> Iterator[Job]:
    """Yield the jobs whose result is not in the store; ``on_kept`` is called with the others."""
    for job in jobs:
        if store.has(job):
            on_kept(job)
        else:
            yield job


class Difference(NamedTuple):
    """A key of two records, such as ``config.tracking.window``, and its values (None where it is not there)."""

    key: str
    before: Any
    now: Any


def difference(earlier: dict[str, Any], now: dict[str, Any]) -> Difference | None:
    """The first key in which two records differ, or None.

    A setting that the configuration no longer has cannot differ, nor can what an earlier version did not write down.
    """
    before, after = dict(_leaves(earlier)), dict(_leaves(json.loads(json.dumps(now))))
    for key, value in after.items():
        if before.get(key) != value and not (key in LATER_KEYS and key not in before):
            return Difference(key, before.get(key), value)
    for key, value in before.items():
        if key not in after and not key.startswith("config"):
            return Difference(key, value, None)
    return None


def refuse_difference(what: str, earlier: dict[str, Any], now: dict[str, Any], remedy: str) -> None:
    """Raise a UserError if ``what`` was made with other settings, naming the first that differs and the remedy."""
    if found := difference(earlier, now):
        raise UserError(f"{what} were made with {found.key} = {found.before}, now it is {found.now}: {remedy}")


def _leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, tree
