"""How the cameras of a rig look, from what a user gives: points picked in both pictures, or a board that both see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import Image
from nestfuse_core.rig.features import Matrix, thermal_view, visible_view
from nestfuse_core.rig.file import Lens, Size, rows
from nestfuse_core.rig.lay import undistorted

LEAST_PAIRS = 4
"""Pairs of points that a homography needs."""
LEAST_VIEWS = 3
"""Pictures in which a camera must see the board before its lens is measured."""
ENOUGH_VIEWS = 8
"""Pictures from which on the lens's own centre is measured too."""


def parse_points(texts: Sequence[str]) -> tuple[NDArray[Any], NDArray[Any]]:
    """``x,y,X,Y`` each -> (N, 2) visible points and (N, 2) thermal ones.

    Raises:
        UserError: not four numbers, or fewer than `LEAST_PAIRS` pairs.
    """
    table = []
    for text in texts:
        try:
            row = [float(part) for part in text.split(",")]
        except ValueError:
            row = []
        if len(row) != 4 or not np.isfinite(row).all():
            raise UserError(f"Expected a pair of points as x,y,X,Y (visible x,y then thermal X,Y, px), got '{text}'.")
        table.append(row)
    if len(table) < LEAST_PAIRS:
        raise UserError(
            f"Expected at least {LEAST_PAIRS} pairs of points, got {len(table)}: give --points once for each pair."
        )
    pairs = np.array(table)
    return pairs[:, :2], pairs[:, 2:]


def from_points(visible: NDArray[Any], thermal: NDArray[Any]) -> tuple[Matrix, NDArray[Any]]:
    """The homography from (N, 2) thermal to visible points by least squares, and the (N,) distances left, px.

    Raises:
        UserError: points that lie on a line, so that no homography follows from them.
    """
    for points, camera in ((visible, "visible"), (thermal, "thermal")):
        spread = np.linalg.svd(points - points.mean(0), compute_uv=False)
        if spread[1] < 0.02 * spread[0] or spread[0] == 0:
            raise UserError(f"The {camera} points lie on one line; pick some in other parts of the picture.")
    matrix, _ = cv2.findHomography(thermal, visible, 0)
    if matrix is None or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-12:
        raise UserError("No homography fits these points; pick four or more that lie apart, no three on a line.")
    left = cv2.perspectiveTransform(thermal[:, None], matrix)[:, 0] - visible
    return matrix, np.linalg.norm(left, axis=1)


def parse_board(text: str) -> Size:
    """``9x6`` -> inner corners (or circles) across and down. Raises UserError."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) >= 2 for part in parts):
        raise UserError(f"Expected the board's inner corners (or circles) as COLUMNSxROWS, such as 9x6, got '{text}'.")
    return int(parts[0]), int(parts[1])


@dataclass(frozen=True)
class BoardResult:
    """What a board says: homography between undistorted pixels, both lenses, and how well all of it fits (px).

    Attributes:
        seen: pictures in which both cameras see the board.
        errors: root mean square distance of the board's points, visible lens, thermal lens and homography.
    """

    homography: Matrix
    visible_lens: Lens
    thermal_lens: Lens
    seen: int
    errors: tuple[float, float, float]


def from_board(pairs: Sequence[tuple[Image, Image]], board: Size) -> BoardResult:
    """Measure both lenses and the homography from pictures of a chessboard or a grid of circles.

    Args:
        pairs: visible and thermal pictures of the same moments, each camera's all of one size.
        board: inner corners, or circles, across and down.

    Raises:
        UserError: too few pictures in which both cameras see the board.
    """
    found = []
    for rgb, ir in pairs:
        both = [board_points(_eight_bit(image, camera), board) for image, camera in ((rgb, "rgb"), (ir, "ir"))]
        if both[0] is not None and both[1] is not None:
            found.append((both[0], _same_order(both[0], both[1])))
    if len(found) < LEAST_VIEWS:
        raise UserError(
            f"Both cameras see the whole {board[0]}x{board[1]} board in {len(found)} of {len(pairs)} pictures, and "
            f"{LEAST_VIEWS} are the least; move it slowly through both views, and count its inner corners or circles."
        )
    sizes = [pairs[0][camera].shape[1::-1] for camera in (0, 1)]
    measured = [_lens([pair[camera] for pair in found], sizes[camera], board) for camera in (0, 1)]
    flat = [
        np.concatenate([undistorted(pair[camera].astype(np.float64), measured[camera][0])[:, 0] for pair in found])
        for camera in (0, 1)
    ]
    homography, left = from_points(flat[0], flat[1])
    errors = measured[0][1], measured[1][1], float(left.mean())
    return BoardResult(homography, measured[0][0], measured[1][0], len(found), errors)


def board_points(grey: Image, board: Size) -> NDArray[Any] | None:
    """(N, 1, 2) points of the board in a picture (HxW uint8), whichever polarity it has; None where it is not seen."""
    for picture in (grey, 255 - grey):
        found, corners = cv2.findChessboardCornersSB(picture, board, None, cv2.CALIB_CB_NORMALIZE_IMAGE)
        if found:
            return corners.reshape(-1, 1, 2).astype(np.float32)
        found, centers = cv2.findCirclesGrid(picture, board, None, cv2.CALIB_CB_SYMMETRIC_GRID)
        if found:
            return centers.reshape(-1, 1, 2).astype(np.float32)
    return None


def _eight_bit(image: Image, camera: str) -> Image:
    view = visible_view(image) if camera == "rgb" else thermal_view(image)
    return np.rint(view.planes.mean(2)).astype(np.uint8)


def _same_order(visible: NDArray[Any], thermal: NDArray[Any]) -> NDArray[Any]:
    """The thermal points in the visible ones' order: a board that looks inverted is counted from its other end."""
    across = (visible[-1] - visible[0])[0]
    return thermal if float(across @ (thermal[-1] - thermal[0])[0]) > 0 else thermal[::-1]


def _lens(views: list[NDArray[Any]], size: Size, board: Size) -> tuple[Lens, float]:
    grid = np.zeros((board[0] * board[1], 3), np.float32)
    grid[:, :2] = np.stack(np.meshgrid(np.arange(board[0]), np.arange(board[1])), -1).reshape(-1, 2)
    # Few views do not tell a shifted centre and higher orders from a turned board.
    flags = cv2.CALIB_FIX_K3 | cv2.CALIB_ZERO_TANGENT_DIST | cv2.CALIB_FIX_ASPECT_RATIO
    if len(views) < ENOUGH_VIEWS:
        flags |= cv2.CALIB_FIX_PRINCIPAL_POINT
    guess = np.array([[size[0], 0, (size[0] - 1) / 2], [0, size[0], (size[1] - 1) / 2], [0, 0, 1.0]])
    error, matrix, distortion, _, _ = cv2.calibrateCamera(
        [grid] * len(views), views, size, guess, None, flags=flags | cv2.CALIB_USE_INTRINSIC_GUESS
    )
    return Lens(matrix=rows(matrix), distortion=tuple(float(value) for value in distortion.ravel()[:5])), float(error)
