"""Reading and writing tensors on disk, without ever running code from a file."""

from __future__ import annotations

import io
import os
import pickle
import sys
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import write_bytes
from nestfuse_core.common.sections import shown


def read_checkpoint(path: str | os.PathLike[str]) -> Any:
    """Load a torch file onto the CPU with ``weights_only=True``.

    Raises:
        UserError: the file is missing, empty, truncated, not a torch file, or holds anything but tensors and
            plain containers (which would mean running code from it).
    """
    file = Path(path)
    if not file.is_file():
        raise UserError(f"No weights file at '{file}'; check the path or see 'rgbt weights list'.")
    if file.stat().st_size == 0:
        raise UserError(f"The weights file '{file}' is empty; fetch it again.")
    try:
        _check_size(file)
        with torch.serialization.safe_globals(_numpy_numbers()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if any(words in str(error) for words in ("GLOBAL", "Unsupported global", "Unsupported class", "Can only")):
            raise UserError(
                f"The file '{file}' holds more than tensors and was refused, since loading it would run code from it; "
                "save only the model's state dict, or take the file from its original source."
            ) from error
        raise UserError(f"The file '{file}' is not a torch checkpoint (or is damaged); fetch it again.") from error
    # Over damaged files torch's reader, which is a Python interpreter of pickles, ends in errors of any kind.
    except Exception as error:
        raise UserError(f"The file '{file}' is not a torch checkpoint or is truncated; fetch it again.") from error


def _check_size(file: Path) -> None:
    """Refuse an archive that would become much more than it is: torch packs nothing."""
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        if sum(item.file_size for item in archive.infolist()) > 2 * file.stat().st_size:
            raise ValueError("packed")


def _numpy_numbers() -> list[Any]:
    """What unpickling a numpy number needs: training loops save such numbers (a best loss) beside the weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scalar = np.float64(0).__reduce__()[0]
    kinds = {type(np.dtype(kind)) for kind in (np.float64, np.float32, np.int64, np.int32, np.bool_)}
    # Files written under numpy 1 and 2 name the same function by two paths.
    return [(scalar, "numpy.core.multiarray.scalar"), (scalar, "numpy._core.multiarray.scalar"), np.dtype, *kinds]


def state_dict_of(checkpoint: Any) -> dict[str, Tensor]:
    """Return the flat state dict (floating point as float32) of a checkpoint that may be wrapped.

    ``{epoch, state_dict, optimizer}`` is unwrapped and a leading ``module.`` (DataParallel) is stripped.

    Raises:
        UserError: it holds no state dict, or one with an entry that is no plain tensor of finite numbers.
    """
    for key in ("state_dict", "model"):
        if isinstance(checkpoint, Mapping) and isinstance(checkpoint.get(key), Mapping):
            checkpoint = checkpoint[key]
    if not isinstance(checkpoint, Mapping) or not checkpoint:
        raise UserError("The checkpoint holds no state dict; expected a mapping from parameter names to tensors.")
    for key, value in checkpoint.items():
        if problem := _oddity(key, value):
            raise UserError(f"The checkpoint's entry {shown(key)} {problem}; expected a flat state dict.")
    return {
        key.removeprefix("module."): value.float() if value.is_floating_point() else value
        for key, value in checkpoint.items()
    }


def _oddity(key: Any, value: Any) -> str:
    """What keeps an entry from being a weight; nothing for most."""
    if not isinstance(key, str) or not isinstance(value, Tensor):
        return "is not a tensor"
    if value.layout != torch.strided or value.is_quantized or value.is_complex() or value.device.type != "cpu":
        return f"is a tensor of another kind ({value.dtype}, {value.layout}, {value.device.type})"
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        return f"stretches {value.untyped_storage().nbytes()} bytes to the shape {tuple(value.shape)}"
    if value.is_floating_point() and not torch.isfinite(value.float()).all():
        return "holds numbers that are not finite (NaN or infinity)"
    return ""


def save_checkpoint(path: str | os.PathLike[str], content: Any) -> None:
    """Write what ``torch.save`` writes, whole or not at all; the same content becomes the same bytes.

    Torch notes where a tensor lies in a larger one, which names are one object in memory, and in a file that it opens
    itself that file's name; none of these is part of the content.
    """
    buffer = io.BytesIO()
    torch.save(_plain(content), buffer)
    # Through memory also because torch calls a full disk an "unexpected position".
    write_bytes(path, buffer.getbuffer())


def _plain(part: Any) -> Any:
    """The same content in containers, names and tensors of its own."""
    if isinstance(part, Tensor):
        return part.detach().clone(memory_format=torch.contiguous_format)
    if isinstance(part, Mapping):
        return {_plain(key): _plain(value) for key, value in part.items()}
    if type(part) in (list, tuple):
        return type(part)(map(_plain, part))
    return sys.intern(part) if type(part) is str else part


def half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state dict with floating-point tensors in float16, half the size on disk."""
    return {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
