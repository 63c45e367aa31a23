"""Sequences one of whose cameras is corrupted for a while: what a gate is fitted to and judged by.

Most of these corruptions are none of those of training pairs (``corruptions.py``): a network looks more reliable under
what it has practised than it will be in the field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from rgbt_tracker.frames import Derived, Frame, FrameSequence
from rgbt_tracker.training.augmentation.corruptions import cloud
from rgbt_tracker.training.views import Image

Corruption = Callable[[Image, Image, int], Image]
"""Frame, the last good frame before, frames since then -> what the camera delivers; HxW or HxWx3 uint8."""


def noise(rng: np.random.Generator) -> Corruption:
    """Nothing but noise."""
    seed = int(rng.integers(2**31))
    return lambda image, good, age: np.random.default_rng((seed, age)).integers(0, 256, image.shape, dtype=np.uint8)


def black(rng: np.random.Generator) -> Corruption:
    """No picture."""
    return lambda image, good, age: np.zeros_like(image)


def frozen(rng: np.random.Generator) -> Corruption:
    """The last good frame for ever."""
    return lambda image, good, age: good


def fog(rng: np.random.Generator) -> Corruption:
    """An even veil through which little is seen."""
    return lambda image, good, age: (0.15 * image + 170).astype(np.uint8)


def smoke(rng: np.random.Generator) -> Corruption:
    """Rolling smoke with edges and shades of its own, drifting across the picture."""
    side = 1400
    dense, shade = cloud(rng, side, 7), cloud(rng, side, 8)
    cover = np.clip((dense - rng.uniform(0.2, 0.45)) * 5, 0, 0.97).astype(np.float32)
    colour = (rng.uniform(60, 190) + 110 * (shade - 0.5)).astype(np.float32)
    speed = rng.uniform(-6, 6, 2)

    def deliver(image: Image, good: Image, age: int) -> Image:
        # The part of the smoke that the camera sees, stretched for pictures larger than the smoke was drawn for.
        shrink = max(1.0, 2 * max(image.shape[:2]) / side)
        height, width = (int(length / shrink) for length in image.shape[:2])
        left, top = (np.array([side - width, side - height]) / 2 + speed * age) % (side - np.array([width, height]))
        window = np.s_[int(top) : int(top) + height, int(left) : int(left) + width]
        alpha, veiled = (cv2.resize(field[window], image.shape[1::-1]) for field in (cover, colour))
        if image.ndim == 3:
            alpha, veiled = alpha[..., None], veiled[..., None]
        return np.clip(image * (1 - alpha) + veiled * alpha, 0, 255).astype(np.uint8)

    return deliver


def turned_away(rng: np.random.Generator) -> Corruption:
    """The camera was turned away: another part of the world, as rich as the right one."""
    return lambda image, good, age: np.ascontiguousarray(image[::-1, ::-1])


def drifting(rng: np.random.Generator) -> Corruption:
    """The camera loses its alignment, a few pixels more every frame."""
    pace, far = rng.uniform(-2, 2, 2), rng.uniform(15, 45)

    def deliver(image: Image, good: Image, age: int) -> Image:
        dx, dy = np.clip(pace * age, -far, far)
        shift = np.array([[1, 0, dx], [0, 1, dy]])
        return np.asarray(cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return deliver


def blocks(rng: np.random.Generator) -> Corruption:
    """A starved transmission: blocks of one colour."""
    size = int(rng.integers(12, 40))

    def deliver(image: Image, good: Image, age: int) -> Image:
        height, width = image.shape[:2]
        small = cv2.resize(image, (max(width // size, 1), max(height // size, 1)), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)

    return deliver


def defocus(rng: np.random.Generator) -> Corruption:
    """Far out of focus."""
    sigma = float(rng.uniform(6, 18))
    return lambda image, good, age: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def stripes(rng: np.random.Generator) -> Corruption:
    """Columns of an uncooled sensor run away from each other, and little of the scene is left."""
    offsets = rng.normal(0, rng.uniform(25, 60), 4096).astype(np.float32)

    def deliver(image: Image, good: Image, age: int) -> Image:
        column = np.resize(offsets, image.shape[1]).reshape((1, -1) + (1,) * (image.ndim - 2))
        return np.clip(0.3 * image + 90 + column, 0, 255).astype(np.uint8)

    return deliver


CORRUPTIONS: tuple[Callable[[np.random.Generator], Corruption], ...] = (
    noise,
    black,
    frozen,
    fog,
    smoke,
    smoke,
    smoke,
    turned_away,
    drifting,
    blocks,
    defocus,
    stripes,
)


class CorruptedSequence(Derived):
    """A sequence one of whose two cameras delivers something else for a while.

    Attributes:
        camera: "rgb" or "ir".
        corrupted: the frames between whose indices it does.
    """

    def __init__(self, source: FrameSequence, camera: str, corruption: Corruption, corrupted: range) -> None:
        super().__init__(source)
        self.camera, self.corrupted = camera, corrupted
        self._corruption = corruption
        self._good: Image | None = None

    def frame(self, index: int) -> Frame:
        frame = self._source.frame(index)
        if index not in self.corrupted:
            return frame
        if self._good is None:
            self._good = self._picture(self._source.frame(max(self.corrupted.start - 1, 0)))
        image = self._corruption(self._picture(frame), self._good, index - self.corrupted.start)
        return replace(frame, rgb=image) if self.camera == "rgb" else replace(frame, ir=image)

    def _picture(self, frame: Frame) -> Image:
        image = frame.picture(self.camera)
        assert image is not None
        return image


def temporarily_corrupted(source: FrameSequence, seed: int, share: float) -> CorruptedSequence:
    """With probability ``share``, corrupt one of the two cameras for 10 frames or longer.

    Camera, kind, beginning and end are drawn by ``seed``; the first five frames are always good. ``corrupted`` of the
    result is empty when neither camera is.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.random() < share
    camera = ("rgb", "ir")[int(rng.integers(2))]
    corruption = CORRUPTIONS[int(rng.integers(len(CORRUPTIONS)))](rng)
    first = int(rng.integers(5, max(6, len(source) // 2)))
    corrupted = range(first, first + int(rng.integers(10, max(11, len(source))))) if chosen else range(0)
    return CorruptedSequence(source, camera, corruption, corrupted)


def initially_corrupted(source: FrameSequence, seed: int, share: float) -> CorruptedSequence:
    """With probability ``share``, corrupt one of the two cameras from the first frame on.

    Its template then shows no target. In six of ten sequences it stays so, else it recovers later; camera, kind and
    end are drawn by ``seed``. ``corrupted`` of the result is empty when neither camera is.
    """
    rng = np.random.default_rng((77, seed))
    chosen = rng.random() < share
    camera = ("rgb", "ir")[int(rng.integers(2))]
    # What is frozen or drifts away has been seen before.
    kinds = [kind for kind in CORRUPTIONS if kind not in (frozen, drifting)]
    corruption = kinds[int(rng.integers(len(kinds)))](rng)
    count = len(source)
    stop = count if rng.random() < 0.6 else int(rng.integers(count // 3, count))
    return CorruptedSequence(source, camera, corruption, range(stop if chosen else 0))
