"""``rgbt vot evaluate``: the workspace's experiments without TraX, over several processes, devices or machines.

Result files are those of ``vot evaluate``, bit for bit, but for the measured times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from nestfuse_core.common.errors import UserError, suggestion
from rgbt_tracker.config import load_config
from rgbt_tracker.evaluation.job import Experiment, FactorySetup, Job, Portable, Provider, Setup
from rgbt_tracker.evaluation.store import Store
from rgbt_tracker.vot.load import load_workspace, tracker_options
from rgbt_tracker.vot.session import Session, TrackerOptions, open_session


@dataclass(frozen=True)
class Row(Portable):
    """A tracker of the workspace's registry, as the runner builds it."""

    options: TrackerOptions

    def build(self, device: str | None = None) -> Session:
        """Return a session of the tracker, on ``device`` if one is given."""
        return open_session(replace(self.options, device=device or self.options.device))

    def weights_file(self) -> Path | None:
        options = self.options
        if options.factory is not None or options.config is None:
            return FactorySetup(str(options.factory), options.weights).weights_file()
        return Setup(load_config(options.config), options.weights).weights_file()

    def with_weights(self, file: Path) -> Row:
        return Row(replace(self.options, weights=str(file)))


class WorkspaceStore(Store):
    """A workspace, and its results in the toolkit's own files.

    Args:
        directory: of the workspace.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.directory = directory
        self._sequences: dict[str, dict[str, Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Another process loads the workspace for itself.
        return {"folder": self.folder, "directory": self.directory, "_sequences": {}}

    @cached_property
    def space(self) -> Any:
        """The toolkit's workspace.

        Raises:
            UserError: what `load_workspace` raises.
        """
        return load_workspace(self.directory)

    def sequences(self, experiment: str) -> dict[str, Any]:
        """The toolkit's sequences as an experiment of the stack sees them, by name."""
        if experiment not in self._sequences:
            given = self.space.stack.experiments[experiment].transform(list(self.space.dataset))
            self._sequences[experiment] = {sequence.name: sequence for sequence in given}
        return self._sequences[experiment]

    def elsewhere(self, folder: Path) -> Store:
        assert self.space  # loaded once, for this store and for the other
        return super().elsewhere(folder)

    def has(self, job: Job) -> bool:
        assert isinstance(job.experiment, StackExperiment)
        name, tracker = job.experiment.name, self.space.registry[job.experiment.tracker]
        return bool(self.space.stack.experiments[name].scan(tracker, self.sequences(name)[job.sequence])[0])

    def save(self, job: Job, result: None) -> None:
        """The experiment has written each repetition as it was done."""

    def completes(self, file: str) -> bool:
        return not file.endswith(".value")


@dataclass(frozen=True)
class StackExperiment(Experiment):
    """An experiment of the workspace's stack (with resets, or from anchors), which finds the job's sequence by name.

    Attributes:
        tracker, name: of the registry's row and of the experiment.
        replay: take the later repetitions of a deterministic tracker from its first.
        force: run complete repetitions again.
    """

    result: ClassVar[Callable[..., Any]] = type(None)
    tracker: str
    name: str
    replay: bool = True
    force: bool = False

    def run(self, job: Job, worker: Provider, on_progress: Callable[[float], None]) -> None:
        """Run the experiment, which writes its files into the worker's store.

        Raises:
            UserError: bad input or a failing tracker.
        """
        from vot.workspace import LocalStorage

        from rgbt_tracker.vot.experiment import EvaluationError
        from rgbt_tracker.vot.inprocess import InProcessTracker

        store = worker.store
        assert isinstance(store, WorkspaceStore)
        experiment = store.space.stack.experiments[self.name]
        timed = experiment.realtime is not None
        local = InProcessTracker.of(
            store.space.registry[self.tracker],
            worker.tracker(job.setup),
            replay=self.replay and not timed,
            read_ahead=not timed,
        )
        if store.folder != store.directory:
            local._storage = LocalStorage(str(store.folder))
        try:
            experiment.execute(local, store.sequences(self.name)[job.sequence], self.force, on_progress)
        except EvaluationError as error:
            raise UserError(str(error)) from error
        except UserError as error:
            raise UserError(f"{job}: {error}") from error


def plan(
    store: WorkspaceStore,
    trackers: list[str],
    experiments: list[str],
    sequences: list[str],
    *,
    replay: bool = True,
    force: bool = False,
) -> list[Job]:
    """The jobs of a workspace in its own order, complete or not.

    Args:
        trackers, experiments, sequences: names; all experiments and all sequences where there are none.
        replay, force: as in `StackExperiment`.

    Raises:
        UserError: an unknown tracker, experiment or sequence, with the nearest name.
    """
    space = store.space
    _check_names("tracker", trackers, space.registry.identifiers())
    _check_names("experiment", experiments, space.stack.experiments)
    _check_names("sequence", sequences, [item.name for item in space.dataset])
    jobs = []
    for tracker in trackers:
        row = Row(tracker_options(space.registry[tracker]))
        for name in experiments or space.stack.experiments:
            experiment = StackExperiment(tracker, name, replay, force)
            chosen = [item for item in store.sequences(name) if not sequences or item in sequences]
            jobs += [Job(f"{tracker}/{name}/{item}", row, item, experiment) for item in chosen]
    return jobs


def _check_names(kind: str, given: list[str], known: Any) -> None:
    for name in given:
        if name not in known:
            raise UserError(f"Unknown {kind} '{name}'{suggestion(name, known)} Known: {', '.join(known)}.")
