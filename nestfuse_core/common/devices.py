"""Where to compute: one reading of ``--device`` for every command."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nestfuse_core.common.errors import UserError, suggestion

if TYPE_CHECKING:
    import torch

NAMES = ("auto", "cpu", "cuda")
PATTERN = re.compile(r"auto|(cpu|cuda|mps)(:\d{1,3})?")


def check_device(name: str) -> str:
    """Return ``name`` if it is one of ``auto``, ``cpu``, ``cuda``, ``cuda:N`` and ``mps``, without looking for it.

    Raises:
        UserError: it is another, with the nearest.
    """
    if not PATTERN.fullmatch(name):
        raise UserError(f"Unknown device '{name}'; expected auto, cpu, cuda or cuda:N{suggestion(name, NAMES)}")
    return name


def has_cuda() -> bool:
    """Whether NVIDIA's driver finds a device; torch, which takes a second to import, is not asked."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def select_device(name: str = "auto", local: int = 0) -> torch.device:
    """Return the torch device for ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` (or ``mps``, where torch has it).

    Args:
        local: the index that ``cuda`` and ``auto`` stand for, the process's number on its machine under ``torchrun``.

    Raises:
        UserError: an unknown name, or CUDA where there is none.
    """
    check_device(name)
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type != "cuda":
        return device
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = local if device.index is None else device.index
    if index >= count:
        raise UserError(f"The device '{name}' was asked for, but torch finds {count} CUDA devices; use cpu or auto.")
    return torch.device("cuda", index)


@contextmanager
def exact(device: torch.device) -> Iterator[None]:
    """Compute in it as a CPU does: on NVIDIA's GPUs torch rounds what convolutions multiply to 11 bits (TF32)."""
    if device.type != "cuda":
        yield
        return
    import torch

    before, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before
