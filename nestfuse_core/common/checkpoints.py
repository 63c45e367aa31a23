"""Reading and writing tensors on disk, without ever running code from a file."""

from __future__ import annotations

import os
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import replacing


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
        with torch.serialization.safe_globals(_numpy_numbers()):
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" in str(error) or "Unsupported class" in str(error):
            raise UserError(
                f"The file '{file}' holds more than tensors and was refused, since loading it would run code from it; "
                "save only the model's state dict, or take the file from its original source."
            ) from error
        raise UserError(f"The file '{file}' is not a torch checkpoint (or is damaged); fetch it again.") from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise UserError(f"The file '{file}' is not a torch checkpoint or is truncated; fetch it again.") from error


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
    """
    for key in ("state_dict", "model"):
        if isinstance(checkpoint, Mapping) and isinstance(checkpoint.get(key), Mapping):
            checkpoint = checkpoint[key]
    if not isinstance(checkpoint, Mapping) or not checkpoint:
        raise UserError("The checkpoint holds no state dict; expected a mapping from parameter names to tensors.")
    bad = [key for key, value in checkpoint.items() if not isinstance(key, str) or not isinstance(value, Tensor)]
    if bad:
        raise UserError(f"The checkpoint's entry '{bad[0]}' is not a tensor; expected a flat state dict.")
    return {
        key.removeprefix("module."): value.float() if value.is_floating_point() else value
        for key, value in checkpoint.items()
    }


def save_checkpoint(path: str | os.PathLike[str], content: Any) -> None:
    """``torch.save`` to a temporary file, then rename."""
    with replacing(path) as temporary:
        torch.save(content, temporary)


def half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state dict with floating-point tensors in float16, half the size on disk."""
    return {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
