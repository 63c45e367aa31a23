"""Crops of drawn random scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.synthetic.random_scenes import random_renderer
from rgbt_tracker.synthetic.renderer import Renderer
from rgbt_tracker.training.data.cutting import CropWriter, usable

SIZE = (640, 480)
LENGTH = 48
"""Frames of a sequence that crops are spread over."""
FOLLOWED = 3
"""Targets of one sequence."""
VISIBLE = 0.4
"""Least share of a target that is not hidden."""
LICENCE = "Apache-2.0 (drawn by rgbt_tracker)"


def scene_crops(seed: int, writer: CropWriter, most: int, photos: list[Path]) -> int:
    """Draw the random scene of a seed and add crops of up to three of its targets; returns their number.

    A seed with crops in the set already is left as it is.
    """
    names = [f"drawn-{seed}-{number}" for number in range(FOLLOWED)]
    if any(entry.sequence in names for entry in writer.entries.values()):
        return 0
    rng = np.random.default_rng((seed, 99))
    renderer, tones = random_renderer(rng, seed, LENGTH, SIZE, photos)
    scene = renderer.scene
    others = 1 + rng.permutation(len(scene.crossers) + len(scene.passers_by))[: FOLLOWED - 1]
    followed = [0, *(int(number) for number in others)]
    found: list[tuple[Any, ...]] = []
    for index in np.rint(np.linspace(0, LENGTH - 1, most)).astype(int):
        silhouettes = [renderer.mask(index, actor) for actor in renderer.actors]
        rgb, ir = renderer.pictures(int(index))
        images = {"rgb": rgb, "ir": cv2.LUT(ir, tones)}
        for name, number in zip(names, followed, strict=False):
            box = cv2.boundingRect(silhouettes[number])
            if usable(box, *SIZE) and _visible_share(renderer, silhouettes, number, int(index)) >= VISIBLE:
                found.append((name, int(index) + 1, images, box, renderer.actors[number].sprite.kind))
    for name, frame, images, box, kind in found:
        writer.add(name, frame, images, box, kind="video", object=kind, source="drawn", licence=LICENCE)
    return 2 * len(found)


def _visible_share(renderer: Renderer, silhouettes: list[NDArray[Any]], number: int, index: int) -> float:
    """Share of an actor that nobody nearer hides."""
    own, row = silhouettes[number] > 0, renderer.actors[number].row[index]
    area = int(np.count_nonzero(own))
    for other, silhouette in zip(renderer.actors, silhouettes, strict=True):
        if other.row[index] > row:
            own &= silhouette == 0
    return int(np.count_nonzero(own)) / max(area, 1)
