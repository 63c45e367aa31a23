"""One process or several: what a training loop needs to know about its peers under ``torchrun``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from nestfuse_core.common.devices import select_device


@dataclass(frozen=True)
class Group:
    """This process's place among ``world``, and its device."""

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes files and talks to the user."""
        return self.rank == 0

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of ``values`` over the processes."""
        if self.world > 1:
            dist.all_reduce(values)
            values = values / self.world
        return values

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.world > 1:
            dist.barrier()


@contextmanager
def process_group(device: str = "auto") -> Iterator[Group]:
    """Join the group that ``torchrun`` announces in the environment, or be alone."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    place = select_device(device, int(os.environ.get("LOCAL_RANK", "0")))
    if world == 1:
        yield Group(0, 1, place)
        return
    if place.type == "cuda":
        torch.cuda.set_device(place)
    dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield Group(dist.get_rank(), world, place)
    finally:
        dist.destroy_process_group()
