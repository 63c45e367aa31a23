"""Camera frames as the network wants them: 8-bit, three channels, the thermal one laid on the visible one."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.fusion.scale import ThermalScale
from rgbt_tracker.config import ThermalConfig, TrackerConfig

Image = NDArray[Any]


def as_bgr(image: Image, modality: str) -> Image:
    """HxW or HxWx1 (replicated), HxWx3 or HxWx4 (alpha dropped) uint8 -> HxWx3 uint8.

    Raises:
        UserError: not an image, another number of channels, or not 8-bit.
    """
    shape: tuple[int, ...] = image.shape
    if len(shape) not in (2, 3) or 0 in shape:
        raise UserError(f"Expected the {modality} frame as an HxW or HxWx3 array, got shape {tuple(shape)}.")
    if image.dtype != np.uint8:
        raise UserError(f"Expected the {modality} frame as uint8, got {image.dtype}.")
    if len(shape) == 2 or shape[2] == 1:
        return cv2.cvtColor(image.reshape(shape[0], shape[1]), cv2.COLOR_GRAY2BGR)
    if shape[2] == 4:
        return np.ascontiguousarray(image[..., :3])
    if shape[2] != 3:
        raise UserError(f"Expected the {modality} frame with 1 or 3 channels, got {shape[2]}.")
    return image


class ThermalFrames:
    """Thermal frames as 8-bit images in the visible camera's pixels.

    16-bit (and floating-point radiometric) frames go through one :class:`ThermalScale`, so that a target's grey value
    does not jump; frames of another size are resized, or warped by the configured homography.
    """

    def __init__(self, config: ThermalConfig) -> None:
        self._homography = None if config.homography is None else np.asarray(config.homography, np.float64)
        self.scale = ThermalScale()

    def start(self) -> None:
        """Forget the scale of the previous sequence."""
        self.scale = ThermalScale()

    def __call__(self, image: Image, size: tuple[int, int] | None) -> Image:
        """Return HxWx3 uint8 of ``size`` (width, height); of its own size when ``size`` is None."""
        frame = as_bgr(self._to_8_bit(image), "thermal")
        if size is None:
            return frame
        if self._homography is not None:
            return cv2.warpPerspective(frame, self._homography, size)
        if (frame.shape[1], frame.shape[0]) != size:
            return cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)
        return frame

    def _to_8_bit(self, image: Image) -> Image:
        if image.dtype == np.uint8:
            return image
        if image.dtype.kind not in "uif" or image.ndim not in (2, 3):
            raise UserError(f"Expected the thermal frame as an array of numbers, got {image.dtype}.")
        return self.scale(image)


class CameraFrames:
    """The frames of the cameras that a configuration uses, as its network wants them."""

    def __init__(self, config: TrackerConfig) -> None:
        self._config = config
        self._thermal = ThermalFrames(config.thermal)

    def start(self) -> None:
        """Forget the thermal range of the previous sequence."""
        self._thermal.start()

    def __call__(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> dict[str, Image]:
        """Camera ("rgb", "ir") -> HxWx3 uint8 BGR, in the configuration's order, all in the visible one's pixels.

        Raises:
            UserError: a camera's frame is None though the configuration uses it, or an image that does not fit.
        """
        given, frames = {"rgb": rgb, "ir": ir}, {}
        for camera in self._config.modalities:
            image = given[camera]
            if image is None:
                raise UserError(
                    f"The configuration '{self._config.name}' has modality '{self._config.modality}' but the {camera} "
                    f"frame is None; pass it, or set the modality to '{'ir' if camera == 'rgb' else 'rgb'}'."
                )
            if camera == "rgb":
                frames[camera] = as_bgr(np.asarray(image), camera)
            else:
                visible = frames.get("rgb")
                size = None if visible is None else (visible.shape[1], visible.shape[0])
                frames[camera] = self._thermal(np.asarray(image), size)
        return frames
