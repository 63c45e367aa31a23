"""Training images: any folder of photographs, grey, resized or cropped, in an order that only the seed decides."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import SUFFIXES, read_grey
from nestfuse_core.training.settings import TrainSettings

ADVICE = "remove or replace it and continue with --resume"


def list_photographs(folder: str | os.PathLike[str]) -> list[Path]:
    """Return every image file below ``folder``, sorted by path."""
    root = Path(folder)
    if not root.is_dir():
        raise UserError(f"No folder at '{root}'; expected a folder of photographs to train on.")
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise UserError(f"The folder '{root}' holds no images; expected files such as .jpg, .png or .tif.")
    return paths


def prepare(image: np.ndarray, preparation: str, size: int, random: np.random.Generator) -> np.ndarray:
    """Return ``size`` x ``size`` of an HxW image: the whole of it resized, or a random crop.

    An image smaller than the crop is enlarged until its shorter side fits.
    """
    if preparation == "resize":
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    short = min(image.shape)
    if short < size:
        height, width = (max(size, round(side * size / short)) for side in image.shape)
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    top, left = (int(random.integers(side - size + 1)) for side in image.shape)
    return image[top : top + size, left : left + size]


class Samples(Dataset):
    """The endless stream of training images, addressed by number: sample i depends on the seed and i alone.

    That is what makes a resumed run, and a run split over processes, see the same images.
    """

    def __init__(self, paths: list[Path], settings: TrainSettings) -> None:
        self.paths, self.settings = paths, settings
        self._order: tuple[int, np.ndarray] = (-1, np.empty(0, int))

    def __getitem__(self, index: int) -> Tensor | str:
        """Return 1xSxS float32, 0..255, or the message of a file that cannot be read."""
        epoch, place = divmod(index, len(self.paths))
        if self._order[0] != epoch:
            self._order = epoch, np.random.default_rng((self.settings.seed, epoch)).permutation(len(self.paths))
        random = np.random.default_rng((self.settings.seed, 1, index))
        try:
            image = read_grey(self.paths[self._order[1][place]], advice=ADVICE)
        except UserError as error:
            return str(error)
        return torch.from_numpy(
            prepare(image, self.settings.preparation, self.settings.size, random)[None].copy()
        ).float()


def _collate(samples: list[Tensor | str]) -> Tensor | str:
    """Stack the images, or pass on the first message: an exception would come out of a worker with its traceback."""
    tensors = [sample for sample in samples if isinstance(sample, Tensor)]
    return torch.stack(tensors) if len(tensors) == len(samples) else next(s for s in samples if isinstance(s, str))


def batches(
    samples: Samples, first: int, last: int, rank: int = 0, world: int = 1, workers: int = 0
) -> Iterator[Tensor]:
    """Yield this process's share, (batch / world)x1xSxS, of the batches of steps ``first`` to ``last`` - 1."""
    batch = samples.settings.batch
    share = batch // world
    numbers = [[step * batch + rank * share + i for i in range(share)] for step in range(first, last)]
    loader = DataLoader(samples, batch_sampler=numbers, num_workers=workers, collate_fn=_collate)
    for images in loader:
        if isinstance(images, str):
            raise UserError(images)
        yield images
