"""Picture files as training takes them: 8 bits a channel, grey or colour."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import read_image
from rgbt_tracker.training.views import Image


def read_picture(path: Path) -> Image:
    """Read an image: HxWx3 BGR or HxW grey, uint8.

    Raises:
        UserError: no image, or one of another depth.
    """
    image = read_image(path)
    if image.dtype != np.uint8:
        raise UserError(f"Expected an image of 8 bits a channel at '{path}', got {image.dtype}; convert it first.")
    return image


def three_channels(image: Image) -> Image:
    """HxW or HxWx3 -> HxWx3."""
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image  # type: ignore[return-value]
