"""Drawn sequences: frames by index, exact boxes, tags."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.frames import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.synthetic.actors import FPS
from rgbt_tracker.synthetic.noise import Picture
from rgbt_tracker.synthetic.renderer import Renderer
from rgbt_tracker.synthetic.scenes import Scene, find_scene

TAG_LEVEL = 0.3  # an event is tagged while its envelope is above this
TAGS = {
    "smoke": "smoke",
    "dark": "low_light",
    "glare": "glare",
    "crossover": "thermal_crossover",
    "rgb_black": "rgb_black",
    "ir_black": "ir_black",
    "shake": "camera_shake",
}
Flags = NDArray[np.bool_]


class DrawnSequence(FrameSequence):
    """A drawn scene as a sequence: random access, the same bits for the same scene, seed, length and size.

    Boxes are the bounds of the target's silhouette (opacity >= 0.5) in the visible picture, whether hidden or not.

    Attributes:
        renderer: what draws the pictures.
        tones: (256,) uint8, the thermal camera's grey values; None keeps the drawn ones.
    """

    def __init__(self, renderer: Renderer, length: int, tones: Picture | None = None) -> None:
        self.renderer, self.tones = renderer, tones
        scene, seed = renderer.scene, renderer.seed
        boxes, hidden, crowded = _annotate(renderer, length)
        name = scene.name if seed == 0 else f"{scene.name}-{seed}"
        tags = _tags(renderer, boxes, hidden, crowded)
        super().__init__(SequenceInfo(name, length, FPS, boxes, tags, f"drawn scene '{scene.name}', seed {seed}"))
        self.size = renderer.size

    def frame(self, index: int) -> Frame:
        """Draw frame ``index`` (0-based): BGR and thermal pictures of ``size``, uint8."""
        if not 0 <= index < len(self):
            raise UserError(f"Expected a frame from 0 to {len(self) - 1} of '{self.name}', got {index}.")
        rgb, ir = self.renderer.pictures(index)
        return Frame(index, rgb, ir if self.tones is None else cv2.LUT(ir, self.tones))


def _annotate(renderer: Renderer, length: int) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Boxes, whether a third of the target is hidden, whether something alike stands close."""
    boxes = np.full((length, 4), np.nan)
    hidden, crowded = np.zeros(length, bool), np.zeros(length, bool)
    for index in range(length):
        own = renderer.mask(index)
        x, y, w, h = cv2.boundingRect(own)
        if w == 0:
            continue
        boxes[index] = x, y, w, h
        region = own[y : y + h, x : x + w] > 0
        free = region.copy()
        for other in renderer.actors[1:]:
            near = abs(other.x[index] - renderer.target.x[index]) < 4 * max(w, h) / renderer.camera.zoom[index]
            if not near:
                continue
            silhouette = renderer.mask(index, other)
            if other.row[index] > renderer.target.row[index]:
                free &= silhouette[y : y + h, x : x + w] == 0
            if other.sprite.kind == renderer.target.sprite.kind:
                grown = silhouette[max(y - h // 4, 0) : y + h + h // 4, max(x - w, 0) : x + 2 * w]
                crowded[index] |= bool(np.count_nonzero(grown) > 0.25 * np.count_nonzero(region))
        hidden[index] = np.count_nonzero(free) < 0.67 * np.count_nonzero(region)
    return boxes, hidden, crowded


def _tags(
    renderer: Renderer, boxes: NDArray[np.float64], hidden: NDArray[np.bool_], crowded: NDArray[np.bool_]
) -> dict[str, NDArray[np.bool_]]:
    tags = {TAGS[kind]: level > TAG_LEVEL for kind, level in renderer.levels.items()}
    ratio = np.sqrt(boxes[:, 2] * boxes[:, 3] / max(boxes[0, 2] * boxes[0, 3], 1))
    tags["scale_change"] = np.abs(np.log(ratio)) > np.log(1.4)
    tags["occlusion"], tags["clutter"] = hidden, crowded
    tags["misalignment"] = np.full(len(boxes), renderer.scene.misaligned > 0)
    return {name: flags for name, flags in tags.items() if flags.any()}


def draw_sequence(
    name: str | Scene, length: int | None = None, size: tuple[int, int] = (640, 480), seed: int = 0
) -> DrawnSequence:
    """Draw a scene.

    Args:
        name: a name from SCENES, or a Scene.
        length: number of frames, the scene's own by default; events and paths stretch with it.
        size: (width, height) of both pictures.
        seed: decides looks, paths and noise; the same seed gives the same bits.

    Raises:
        UserError: unknown scene, or a length or size that is not positive.
    """
    scene = find_scene(name) if isinstance(name, str) else name
    length = scene.length if length is None else length
    if length < 1 or min(size) < 64:
        raise UserError(f"Expected at least 1 frame of at least 64x64 pixels, got {length} of {size[0]}x{size[1]}.")
    if seed < 0:
        raise UserError(f"Expected a seed of 0 or more, got {seed}.")
    return DrawnSequence(Renderer(scene, length, size, seed), length)
