"""The homography that fits what the blocks of a picture say, and how far it can be off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.rig.blocks import Blocks
from nestfuse_core.rig.features import Matrix
from nestfuse_core.rig.file import corners_of

Vector = NDArray[Any]
SIMILARITY, HOMOGRAPHY = 4, 8
"""How many of the parameters each kind of mapping uses."""
USUAL = 0.01
"""What stretch, shear and tilt are expected to move corners by, over the picture's width: they hold each other back."""
DEPTH = 1.0
"""Standard deviation in px by which blocks lie beside any one homography, since the scene is deep."""


def basis(points: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """(8, N, 2) how points move for one px of shift (2), scale, turn, stretch, shear and tilt (2) at the corners.

    The eight-parameter flow of a plane: a homography near the identity, to first order.
    """
    width, height = size
    x, y = ((points - (width / 2 - 0.5, height / 2 - 0.5)) / np.hypot(width / 2, height / 2)).T
    one, none = np.ones_like(x), np.zeros_like(x)
    kinds = [(one, none), (none, one), (x, y), (-y, x), (x, -y), (y, x), (x * x, x * y), (x * y, y * y)]
    return np.stack([np.stack(kind, -1) for kind in kinds])


def matrix_of(parameters: Vector, size: tuple[int, int]) -> Matrix:
    """The homography that moves the corners of a picture as the parameters say, px."""
    corners = corners_of(size)
    moved = corners + np.tensordot(parameters, basis(corners, size), 1)
    return cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))


@dataclass
class Fit:
    """A homography near the identity, between pixels of a level.

    Attributes:
        parameters: (8,) px.
        matrix: 3x3.
        values: (B,) the blocks' correlations under it.
        size: width and height of the level's picture.
    """

    parameters: Vector
    matrix: Matrix
    values: Vector
    size: tuple[int, int]
    _spread: Callable[[], NDArray[Any]]

    @property
    def score(self) -> float:
        """Mean correlation of the blocks."""
        return float(self.values.mean())

    @property
    def corner_spread(self) -> float:
        """Root of the mean squared error expected at the corners, px."""
        at = basis(corners_of(self.size), self.size)
        return float(np.sqrt(max(np.einsum("aki,ab,bki->k", at, self.spread, at).mean(), 0)))

    @cached_property
    def spread(self) -> NDArray[Any]:
        """(8, 8) covariance of the parameters, px^2."""
        return self._spread()


class _Likelihood:
    """Sum of the blocks' correlations as a log likelihood of the parameters, with its gradient."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks
        self.basis = basis(blocks.centers, blocks.size)
        self.noise = blocks.noise
        self.held = USUAL * blocks.size[0]

    def at(self, parameters: Vector, blur: float) -> tuple[Vector, NDArray[Any]]:
        """(B,) values and their (P, B) derivatives."""
        own = self.basis[: len(parameters)]
        values, slopes = self.blocks.at(np.tensordot(parameters, own, 1), blur)
        return values, np.einsum("pbi,bi->pb", own, slopes)

    def loss(self, parameters: Vector, blur: float, weight: float) -> tuple[float, Vector]:
        beyond = np.zeros(len(parameters))
        beyond[SIMILARITY:] = parameters[SIMILARITY:] / self.held
        values, slopes = self.at(parameters, blur)
        loss = 0.5 * float((beyond**2).sum()) - weight * float(values.sum())
        return loss, beyond / self.held - weight * slopes.sum(1)


def fit_blocks(
    blocks: Blocks, start: Vector | None = None, smooth: tuple[float, ...] = (2.0, DEPTH), free: int = HOMOGRAPHY
) -> Fit:
    """Find the mapping for which the blocks agree most: the maximum of the sum of their correlations.

    Block b, moved by m_b, has the correlation S_b(m_b). With the noise sigma of the correlations and their mean p where
    they agree, p / sigma^2 times the sum is a log likelihood; stretch, shear and tilt have a Gaussian prior (`USUAL`).
    The covariance is the sandwich A^-1 B A^-1 of its Hessian and of the blocks' gradients.

    Args:
        blocks: of one level.
        start: parameters to start from.
        smooth: by how much the correlations are smoothed over the shifts, pass by pass, px.
        free: `SIMILARITY` or `HOMOGRAPHY`; passes but the last fit a similarity.
    """
    from scipy import optimize

    if len(blocks.centers) < SIMILARITY:
        # Nothing to see: any place is as good as this one.
        return Fit(np.zeros(8), np.eye(3), np.zeros(1), blocks.size, lambda: np.eye(8) * float(blocks.size[0]) ** 2)
    likelihood = _Likelihood(blocks)
    parameters = np.zeros(8) if start is None else start.copy()
    weight = 2 / likelihood.noise
    for index, blur in enumerate(smooth):
        width = free if index == len(smooth) - 1 else SIMILARITY
        limits = {"maxiter": 40, "ftol": 1e-5}
        found = optimize.minimize(
            likelihood.loss, parameters[:width], (blur, weight), jac=True, method="L-BFGS-B", options=limits
        )
        parameters[:width] = found.x
        weight = max(float(likelihood.at(parameters, DEPTH)[0].mean()), likelihood.noise) / likelihood.noise**2
    values = likelihood.at(parameters, 0.0)[0]
    spread = partial(_spread, likelihood, parameters[:free], weight)
    return Fit(parameters, matrix_of(parameters, blocks.size), values, blocks.size, spread)


def _spread(likelihood: _Likelihood, parameters: Vector, weight: float) -> NDArray[Any]:
    """(8, 8) sandwich covariance, 0 of what was not fitted; the Hessian by differences of the gradient over 0.5 px."""
    rows = np.eye(len(parameters)) * 0.5
    hessian = np.stack(
        [
            likelihood.loss(parameters + row, DEPTH, weight)[1] - likelihood.loss(parameters - row, DEPTH, weight)[1]
            for row in rows
        ]
    )
    hessian = (hessian + hessian.T) / 2
    # Directions in which nothing holds are as uncertain as can be told.
    values, vectors = np.linalg.eigh(hessian)
    inverse = (vectors / np.maximum(values, 1e-3)) @ vectors.T
    slopes = weight * likelihood.at(parameters, DEPTH)[1]
    prior = np.zeros(len(parameters))
    prior[SIMILARITY:] = 1 / likelihood.held**2
    spread = np.zeros((HOMOGRAPHY, HOMOGRAPHY))
    spread[: len(parameters), : len(parameters)] = inverse @ (slopes @ slopes.T + np.diag(prior)) @ inverse
    return spread


def held_out_gain(blocks: Blocks, simple: Fit, free: int, folds: int = 4) -> tuple[float, float]:
    """What more parameters than a similarity's gain for blocks that they were not fitted to: mean and standard error.

    Raises nothing: with too few blocks the gain is 0.
    """
    order = np.random.default_rng(0).permutation(len(blocks.centers)) % folds
    gains = []
    for fold in range(folds):
        fitted, left = blocks.part(order != fold), blocks.part(order == fold)
        if len(left.centers) == 0 or len(fitted.centers) < 2 * free:
            return 0.0, 1.0
        pair = [fit_blocks(fitted, simple.parameters, (DEPTH,), kind).parameters for kind in (SIMILARITY, free)]
        judge = _Likelihood(left)
        gains.append(judge.at(pair[1], DEPTH / 2)[0] - judge.at(pair[0], DEPTH / 2)[0])
    gain = np.concatenate(gains)
    return float(gain.mean()), float(gain.std() / np.sqrt(len(gain)))
