"""Where to compute: one reading of ``--device`` for every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nestfuse_core.common.errors import UserError, suggestion

if TYPE_CHECKING:
    import torch

NAMES = ("auto", "cpu", "cuda")


def select_device(name: str = "auto", local: int = 0) -> torch.device:
    """Return the torch device for ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` (or ``mps``, where torch has it).

    Args:
        local: the index that ``cuda`` and ``auto`` stand for, the process's number on its machine under ``torchrun``.

    Raises:
        UserError: an unknown name, or CUDA where there is none.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise UserError(f"Unknown device '{name}'; expected auto, cpu, cuda or cuda:N{suggestion(name, NAMES)}")
    if device.type != "cuda":
        return device
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = local if device.index is None else device.index
    if index >= count:
        raise UserError(f"The device '{name}' was asked for, but torch finds {count} CUDA devices; use cpu or auto.")
    return torch.device("cuda", index)
