"""Camera frames as the network wants them: 8-bit, three channels, the thermal one laid on the visible one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from nestfuse_core.common.arrays import part
from nestfuse_core.common.errors import UserError
from nestfuse_core.fusion.scale import ThermalScale
from rgbt_tracker.boxes import Box
from rgbt_tracker.config import ThermalConfig, TrackerConfig

Image = NDArray[Any]
MOST_SIDE = 2**15 - 1
"""Of a picture that OpenCV can warp, in px."""


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

    def state(self) -> dict[str, NDArray[Any]]:
        """The scale, for `restore`."""
        return {"thermal": self.scale.state()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Be as when `state` was called.

        Raises:
            ValueError: it is no such state.
        """
        self.scale.restore(part(state, "thermal", (None,), gaps=True))

    def to_visible(self, own: tuple[int, int], visible: tuple[int, int]) -> NDArray[np.float64]:
        """3x3 matrix from thermal pixels to those of the visible picture, for their widths and heights."""
        if self._homography is not None:
            return self._homography
        return np.diag([visible[0] / own[0], visible[1] / own[1], 1.0])

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
    """The frames of the cameras that a configuration uses, as its network wants them.

    Boxes are in the visible picture's pixels, and the thermal one is laid on it. While the visible one is missing its
    last size stands; as long as there was none, boxes are in the thermal picture's own pixels.

    Attributes:
        size: (width, height) of the picture that boxes belong to; None before the first frame.
        turn: 3x3 matrix from the pixels of the frame before to those of the last one, where the picture that boxes
            belong to has become another; None otherwise.
    """

    def __init__(self, config: TrackerConfig) -> None:
        self._config = config
        self._thermal = ThermalFrames(config.thermal)
        self.start()

    def start(self) -> None:
        """Forget the previous sequence: the thermal range and the size of its pictures."""
        self._thermal.start()
        self.size: tuple[int, int] | None = None
        self.turn: NDArray[np.float64] | None = None
        self._seen_visible = False

    def __call__(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> dict[str, Image]:
        """Camera ("rgb", "ir") -> HxWx3 uint8 BGR, in the configuration's order, all of ``size``.

        A camera whose frame is None is left out.

        Raises:
            UserError: the only camera of the configuration has no first frame, or an image does not fit.
        """
        given, frames = {"rgb": rgb, "ir": ir}, {}
        self.turn = None
        for camera in self._config.modalities:
            image = given[camera]
            if image is None:
                self._check_first(camera)
            elif camera == "rgb":
                frames[camera] = as_bgr(np.asarray(image), camera)
                self._belongs_to(frames[camera], visible=True)
            else:
                frames[camera] = self._thermal(np.asarray(image), self.size if self._seen_visible else None)
                self._belongs_to(frames[camera], visible=self._seen_visible)
        return frames

    def state(self) -> dict[str, NDArray[Any]]:
        """What the frames so far have settled."""
        size = () if self.size is None else self.size
        return {"size": np.array(size, np.int64), "visible": np.array(self._seen_visible), **self._thermal.state()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Be as when `state` was called, which was after a frame.

        Raises:
            ValueError: it is no such state.
        """
        width, height = part(state, "size", (2,), least=1, most=MOST_SIDE).tolist()
        self.size = int(width), int(height)
        self._seen_visible = bool(part(state, "visible", ()))
        self._thermal.restore(state)

    def _check_first(self, camera: str) -> None:
        if len(self._config.modalities) == 1 and self.size is None:
            raise UserError(
                f"The configuration '{self._config.name}' has modality '{self._config.modality}' but the {camera} "
                f"frame is None; pass it, or set the modality to '{'ir' if camera == 'rgb' else 'rgb'}'."
            )

    def _belongs_to(self, image: Image, visible: bool) -> None:
        """Note the picture that boxes belong to from now on."""
        size = image.shape[1], image.shape[0]
        if self.size is not None and visible and not self._seen_visible:
            self.turn = self._thermal.to_visible(self.size, size)
        elif self.size is not None and size != self.size:
            self.turn = np.diag([size[0] / self.size[0], size[1] / self.size[1], 1.0])
        self.size, self._seen_visible = size, visible


def turned(turn: NDArray[np.float64], center: tuple[float, float], size: tuple[float, float]) -> Box:
    """Centre and width, height under a 3x3 matrix -> cx, cy, w, h of the upright box around the mapped one."""
    (x, y), (w, h) = center, size
    corners = np.array([[(x + across * w / 2, y + down * h / 2) for across in (-1, 1) for down in (-1, 1)]])
    mapped = cv2.perspectiveTransform(corners, turn)[0]
    low, high = mapped.min(0), mapped.max(0)
    (cx, cy), (width, height) = ((low + high) / 2).tolist(), (high - low).tolist()
    return cx, cy, width, height
