"""Laying thermal pictures on the visible ones as a rig's file says, and knowing where nothing is laid."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.pictures import Image
from nestfuse_core.fusion.thermal import as_grey, needs_scaling, to_grey_levels
from nestfuse_core.fusion.valid import fill, valid_pixels
from nestfuse_core.rig.file import Lens, Rig, Size, between

Map = NDArray[Any]


class Laying:
    """Lays the thermal pictures of a rig on its visible ones.

    A visible pixel is undistorted by the visible lens, taken back through the homography, and distorted by the thermal
    lens: there the thermal picture is read, linearly.
    """

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._maps: dict[tuple[Size, Size], tuple[Map, Map]] = {}

    def __call__(self, image: Image, size: Size) -> tuple[Image, NDArray[np.bool_]]:
        """Lay a picture.

        Args:
            image: HxW or HxWx3 of any depth; one of more than 8 bits becomes HxW uint8 if the rig states its range,
                else HxW float32.
            size: width and height of the visible picture.

        Returns:
            The picture in that size, and HxW where it shows nothing: outside the thermal camera's view, and where it
            holds no measurement.
        """
        valid = np.ones(image.shape[:2], np.bool_)
        if needs_scaling(image):
            image = as_grey(image)
            valid = valid_pixels(image)
            image = fill(image.astype(np.float32), valid)
            if self.rig.thermal_range is not None:
                image = np.rint(to_grey_levels(image, self.rig.thermal_range)).astype(np.uint8)
        across, down = self._map((image.shape[1], image.shape[0]), size)
        laid = cv2.remap(image, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        there = cv2.remap(valid.astype(np.float32), across, down, cv2.INTER_LINEAR, borderValue=0.0)
        # A pixel is as large as its distance to the next: the outer half of the border's pixels is covered, too.
        inside = (across > -0.5) & (across < image.shape[1] - 0.5) & (down > -0.5) & (down < image.shape[0] - 0.5)
        return laid, ~inside | (there < 0.5)

    def for_tracking(self, image: Image, size: Size) -> Image:
        """Lay a picture whose empty part counts for nothing: NaN in float32, the mean of the rest in 8 bits."""
        laid, nothing = self(image, size)
        if laid.dtype == np.float32:
            return np.where(nothing, np.float32(np.nan), laid)
        if laid.ndim == 2:
            return fill(laid, ~nothing)
        return np.stack([fill(plane, ~nothing) for plane in np.moveaxis(laid, 2, 0)], -1)

    def _map(self, own: Size, size: Size) -> tuple[Map, Map]:
        if (own, size) not in self._maps:
            self._maps[own, size] = self._drawn(own, size)
        return self._maps[own, size]

    def _drawn(self, own: Size, size: Size) -> tuple[Map, Map]:
        xs, ys = np.meshgrid(np.arange(size[0], dtype=np.float64), np.arange(size[1], dtype=np.float64))
        points: NDArray[Any] = np.stack([xs.ravel(), ys.ravel()], -1)[:, None]
        rig = self.rig
        if rig.visible_lens is not None and rig.visible is not None:
            points = cv2.perspectiveTransform(points, between(size, rig.visible))
            points = undistorted(points, rig.visible_lens)
            points = cv2.perspectiveTransform(points, between(rig.visible, size))
        points = cv2.perspectiveTransform(points, np.linalg.inv(rig.matrix(size, own)))
        if rig.thermal_lens is not None and rig.thermal is not None:
            points = cv2.perspectiveTransform(points, between(own, rig.thermal))
            points = distorted(points, rig.thermal_lens)
            points = cv2.perspectiveTransform(points, between(rig.thermal, own))
        planes = points.reshape(size[1], size[0], 2).astype(np.float32)
        return np.ascontiguousarray(planes[..., 0]), np.ascontiguousarray(planes[..., 1])


def undistorted(points: NDArray[Any], lens: Lens) -> NDArray[Any]:
    """(N, 1, 2) pixels of a lens's picture -> those of one without distortion and with the same matrix."""
    matrix, coefficients = np.array(lens.matrix), np.array(lens.distortion)
    return cv2.undistortPoints(points, matrix, coefficients, P=matrix).reshape(-1, 1, 2)


def distorted(points: NDArray[Any], lens: Lens) -> NDArray[Any]:
    """The reverse of `undistorted`."""
    matrix, coefficients = np.array(lens.matrix), np.array(lens.distortion)
    rays = cv2.perspectiveTransform(points, np.linalg.inv(matrix)).reshape(-1, 2)
    spatial = np.column_stack([rays, np.ones(len(rays))])
    zero = np.zeros(3)
    return cv2.projectPoints(spatial, zero, zero, matrix, coefficients)[0].reshape(-1, 1, 2)
