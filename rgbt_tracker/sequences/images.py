"""The form that the tracker wants frames in, whatever the files are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nestfuse_core.cameras.names import CAMERAS
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import Image, read_image, white_level

DEPTHS = {"rgb": (np.uint8, np.uint16), "ir": (np.uint8, np.uint16, np.float32)}


class FrameFormat:
    """The form that one camera's frames have, whatever the files are.

    "rgb": HxWx3 uint8 BGR, grey pictures repeated over the channels, 16 bits brought to 8. "ir": HxW or HxWx3 BGR;
    uint8, uint16 or float32, as stored.

    Args:
        camera: "rgb" or "ir".
    """

    def __init__(self, camera: str) -> None:
        self.camera = camera
        # One white for the frames of a sequence: a darker one must not look brighter for it.
        self._white = 0.0

    def read(self, path: Path) -> Image:
        """Read an image file.

        Raises:
            UserError: missing, unreadable, cut off, or with a depth that the camera cannot have.
        """
        what, advice = f"{CAMERAS[self.camera]} frame", "restore the file, or move it and its partner away"
        return self.convert(read_image(path, what, advice), str(path))

    def convert(self, image: Image, source: str) -> Image:
        """Return a picture in this form; ``source`` is where it came from, for messages.

        Raises:
            UserError: wrong channel count or depth, or no finite value.
        """
        channels = 1 if image.ndim == 2 else image.shape[2]
        if channels not in (1, 3):
            raise UserError(f"Expected 1 or 3 channels in the {CAMERAS[self.camera]} frame '{source}', got {channels}.")
        if image.dtype not in DEPTHS[self.camera]:
            expected = " or ".join(np.dtype(depth).name for depth in DEPTHS[self.camera])
            raise UserError(f"Expected {expected} in the {CAMERAS[self.camera]} frame '{source}', got {image.dtype}.")
        if image.dtype == np.float32 and not np.isfinite(image).any():
            raise UserError(f"The {CAMERAS[self.camera]} frame '{source}' has no finite value; export it again.")
        if channels == 1:
            image = image.reshape(image.shape[:2])
        if self.camera == "ir":
            return image
        if image.dtype == np.uint16:
            self._white = max(self._white, white_level(image))
            image = np.rint(image * np.float32(255 / self._white)).astype(np.uint8)
        return np.repeat(image[..., None], 3, axis=2) if channels == 1 else image
