"""A run from outside: opened new or to go on, and stopped by a signal after the step it is in."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.loop.checkpoint import LAST
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.optimisation.parallel import Group
from rgbt_tracker.training.recipe import Recipe


def check_output(output: Path, resume: bool) -> None:
    """Refuse a new run in a folder that holds one.

    Raises:
        UserError: it does, and is not to be resumed.
    """
    if not resume and (output / LAST).is_file():
        raise UserError(f"'{output}' holds a run already; go on with --resume, or choose another --output.")


def open_trainer(recipe: Recipe, output: Path, device: torch.device, group: Group, resume: bool) -> Trainer:
    """Return the trainer of a new run, or of the one in ``output`` where it ends; sets PyTorch up for speed.

    Raises:
        UserError: what `Trainer` and its ``resume`` raise.
    """
    torch.backends.cudnn.benchmark = True  # every batch has one of two shapes
    if recipe.threads and device.type == "cpu":
        torch.set_num_threads(recipe.threads)
    trainer = Trainer(recipe, output, str(device), group)
    if resume:
        trainer.resume()
    return trainer


@contextmanager
def stopped_by_signals(trainer: Trainer) -> Iterator[None]:
    """While it holds, SIGINT and SIGTERM end the run after the present step, which is saved."""

    def stop(*_: object) -> None:
        trainer.interrupted = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
