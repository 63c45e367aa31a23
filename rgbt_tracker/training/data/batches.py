"""Batches by step number: what a batch holds depends on the seed and the step alone, never on who asks or when."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from multiprocessing import get_all_start_methods
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.data.samples import Sample, SampleMaker
from rgbt_tracker.training.data.targets import IGNORED, POSITIVE
from rgbt_tracker.training.recipe import Recipe

AHEAD = 2
"""Batches under preparation while one is trained on; with processes, for each of them."""


@dataclass(frozen=True)
class Batch:
    """N samples of K modalities.

    Attributes:
        template, search: (K, N, S, S, 3) uint8 BGR.
        label (N, A, n, n) int8, delta (N, 4, A, n, n), weight (N, A, n, n), background (N, A, n, n) bool: see Target.
        negative: (N,) bool.
        sees: (K, N) bool, which modalities show the target; the others are corrupted.
    """

    template: Tensor
    search: Tensor
    label: Tensor
    delta: Tensor
    weight: Tensor
    background: Tensor
    negative: Tensor
    sees: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(getattr(self, field.name).to(device, non_blocking=True) for field in fields(self)))

    def answers(self, count: int) -> Batch:
        """What ``count`` N answers of a network should be: those of the K modalities each by itself, if there are as
        many, before those of all together, or the latter alone.

        A corrupted modality by itself cannot know where the target is, only where it is not.
        """
        if count == 1:
            return self
        sees = torch.cat([self.sees, torch.ones_like(self.sees[:1])]).flatten()[:, None, None, None]
        label = self.label.repeat(count, 1, 1, 1)
        return replace(
            self,
            label=label.masked_fill((label == POSITIVE) & ~sees, IGNORED),
            delta=self.delta.repeat(count, 1, 1, 1, 1),
            weight=self.weight.repeat(count, 1, 1, 1) * sees,
            background=self.background.repeat(count, 1, 1, 1),
            negative=self.negative.repeat(count),
        )

    def pin_memory(self) -> Batch:
        """In page-locked memory, from where copying to a CUDA device does not hold up the training thread."""
        return Batch(*(getattr(self, field.name).pin_memory() for field in fields(self)))


def collate(samples: list[Sample]) -> Batch:
    """Stack samples of one K."""

    def stacked(values: list[Any], axis: int = 0) -> Tensor:
        return torch.from_numpy(np.stack(values, axis))

    targets = [sample.target for sample in samples]
    return Batch(
        template=stacked([sample.template for sample in samples], 1),
        search=stacked([sample.search for sample in samples], 1),
        label=stacked([target.label for target in targets]),
        delta=stacked([target.delta for target in targets]),
        weight=stacked([target.weight for target in targets]),
        background=stacked([target.background for target in targets]),
        negative=torch.tensor([sample.negative for sample in samples]),
        sees=stacked([sample.sees for sample in samples], 1),
    )


class Batches:
    """The batches of one process: its share of the global batch of every step.

    Args:
        recipe: seed, batch, data.paired, data.workers and data.processes are used.
        maker: makes one sample.
        rank, world: this process and how many share a global batch.
    """

    def __init__(self, recipe: Recipe, maker: SampleMaker, rank: int = 0, world: int = 1) -> None:
        self._recipe, self._maker = recipe, maker
        share = recipe.batch // world
        self._indices = range(rank * share, (rank + 1) * share)

    def paired(self, step: int) -> bool:
        """Whether the step's samples show both modalities."""
        return bool(np.random.default_rng([self._recipe.seed, step]).random() < self._recipe.data.paired)

    def sample(self, step: int, index: int) -> Sample:
        """Sample ``index`` of the global batch of ``step``."""
        return self._maker.make(np.random.default_rng([self._recipe.seed, step, index]), self.paired(step))

    def batch(self, step: int) -> Batch:
        """This process's share of the batch of ``step``."""
        return collate([self.sample(step, index) for index in self._indices])

    def __call__(self, start: int, stop: int) -> Iterator[Batch]:
        """Yield the batches of steps ``start`` to ``stop``, prepared ahead by ``data.workers`` threads or processes."""
        if self._recipe.data.workers == 0:
            return (self.batch(step) for step in range(start, stop))
        cv2.setNumThreads(1)
        processes = self._recipe.data.processes and "fork" in get_all_start_methods()
        return (self._by_processes if processes else self._by_threads)(start, stop)

    def _by_threads(self, start: int, stop: int) -> Iterator[Batch]:
        """Threads share one cache of images and make the samples of one batch together."""
        sys.setswitchinterval(5e-4)  # the training thread launches thousands of short operations a step
        executor = ThreadPoolExecutor(self._recipe.data.workers, thread_name_prefix="samples")
        waiting: deque[list[Future[Sample]]] = deque()
        try:
            for step in range(start, stop):
                waiting.append([executor.submit(self.sample, step, index) for index in self._indices])
                if len(waiting) > AHEAD:
                    yield collate([future.result() for future in waiting.popleft()])
            while waiting:
                yield collate([future.result() for future in waiting.popleft()])
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    def _by_processes(self, start: int, stop: int) -> Iterator[Batch]:
        """Each process makes whole batches; forked, they share the images that are read before."""
        workers = min(self._recipe.data.workers, os.cpu_count() or 1)
        self._maker.sources.preload(workers)
        loader = DataLoader(
            _Steps(self, range(start, stop)),
            batch_size=None,
            num_workers=workers,
            prefetch_factor=AHEAD,
            collate_fn=_as_it_is,
            pin_memory=torch.cuda.is_available(),
            multiprocessing_context="fork",
        )
        for batch in loader:
            if isinstance(batch, UserError):
                raise batch
            yield batch


class _Steps(Dataset[Any]):
    """The batches of some steps, by their number from the first of these; an error that users can mend is returned.

    The loader would put the worker's traceback into the sentence of one that is raised.
    """

    def __init__(self, batches: Batches, steps: range) -> None:
        self._batches, self._steps = batches, steps

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: int) -> Batch | UserError:
        try:
            return self._batches.batch(self._steps[index])
        except UserError as error:
            return error


def _as_it_is(batch: Any) -> Any:
    return batch
