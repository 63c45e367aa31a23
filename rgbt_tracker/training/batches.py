"""Batches by step number: what a batch holds depends on the seed and the step alone, never on who asks or when."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from rgbt_tracker.training.recipe import Recipe
from rgbt_tracker.training.samples import Sample, SampleMaker

AHEAD = 2
"""Batches under preparation while one is trained on."""


@dataclass(frozen=True)
class Batch:
    """N samples of K modalities.

    Attributes:
        template, search: (K, N, S, S, 3) uint8 BGR.
        label (N, A, n, n) int8, delta (N, 4, A, n, n), weight (N, A, n, n), background (N, A, n, n) bool: see Target.
        negative: (N,) bool. degraded: (K, N) float32.
    """

    template: Tensor
    search: Tensor
    label: Tensor
    delta: Tensor
    weight: Tensor
    background: Tensor
    negative: Tensor
    degraded: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(getattr(self, field.name).to(device, non_blocking=True) for field in fields(self)))


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
        degraded=stacked([sample.degraded for sample in samples], 1),
    )


class Batches:
    """The batches of one process: its share of the global batch of every step.

    Args:
        recipe: seed, batch, data.paired and data.workers are used.
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
        """Yield the batches of steps ``start`` to ``stop``, prepared ahead by ``data.workers`` threads."""
        workers = self._recipe.data.workers
        if workers == 0:
            yield from (self.batch(step) for step in range(start, stop))
            return
        cv2.setNumThreads(1)
        sys.setswitchinterval(5e-4)  # the training thread launches thousands of short operations a step
        executor = ThreadPoolExecutor(workers, thread_name_prefix="samples")
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
