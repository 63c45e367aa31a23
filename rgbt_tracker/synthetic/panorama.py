"""A panorama in the making: sky, ground and things on it, in daylight, heat and lamp light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rgbt_tracker.synthetic import props
from rgbt_tracker.synthetic.noise import Picture, Plane, blend, fractal, ground_coordinates, on_ground, to_bytes
from rgbt_tracker.synthetic.sprites import Sprite, cast_shadow, paste, warp

WIDTH, HEIGHT, HORIZON = 1500, 600, 215
CAMERA_HEIGHT = 2.4  # metres


@dataclass
class Place:
    """A panorama, WIDTH x HEIGHT pixels.

    Attributes:
        bgr: daylight picture, (H, W, 3) uint8.
        ir: thermal picture, (H, W) uint8, white-hot.
        light: lamp light, (H, W, 3) uint8; a night picture is bgr * light / 255.
        near, far: rows between which things walk.
        sun: shear and flatness of shadows.
    """

    bgr: Picture
    ir: Picture
    light: Picture
    near: float
    far: float
    sun: tuple[float, float]


def pixels_per_metre(row: float) -> float:
    """Size of things that stand on the ground at a panorama row: pinhole camera CAMERA_HEIGHT above flat ground."""
    return max(row - HORIZON, 1.0) / CAMERA_HEIGHT


class Layers:
    """Colour and heat while a place is painted."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.colour = np.zeros((HEIGHT, WIDTH, 3), np.float32)
        self.heat = np.zeros((HEIGHT, WIDTH), np.float32)
        self.light = np.zeros((HEIGHT, WIDTH, 3), np.float32)
        self.x, self.z = ground_coordinates(HEIGHT, WIDTH, HORIZON, CAMERA_HEIGHT)
        self.sun = (float(rng.uniform(-1.3, 1.3)), float(rng.uniform(0.12, 0.3)))
        self.lamps: list[tuple[float, float]] = []
        self.painted: tuple[Picture, Picture] | None = None

    def sky(self) -> None:
        count = HORIZON + 45
        rows = slice(0, count)
        down = np.linspace(0, 1, count, dtype=np.float32)[:, None] * np.ones((1, WIDTH), np.float32)
        clouds = np.clip((fractal(self.rng, count, WIDTH, (260, 70), 5) - 0.42) * 2.6, 0, 1) * (0.4 + 0.6 * down)
        base = blend(down, (205, 160, 105), (225, 215, 200))
        self.colour[rows] = base + clouds[..., None] * (np.array([240, 240, 238], np.float32) - base)
        self.heat[rows] = 22 + 26 * down + 22 * clouds

    def ground(
        self, low: tuple, high: tuple, heat: float, grain: float, rows: tuple[float, float], contrast: float = 1.0
    ) -> None:
        """Lay rough ground between two rows; ``grain`` is the size of the finest texels per metre."""
        top, bottom = int(rows[0]), int(rows[1])
        fine = on_ground(fractal(self.rng, 512, 512, 12, 4), self.x[top:bottom], self.z[top:bottom], grain)
        coarse = on_ground(fractal(self.rng, 512, 512, 90, 3), self.x[top:bottom], self.z[top:bottom], grain / 3)
        # Far texels are smaller than a pixel: let them fade instead of flicker.
        clear = np.clip((np.arange(top, bottom, dtype=np.float32) - HORIZON) / 110, 0.25, 1)[:, None]
        grit = on_ground(
            self.rng.random((512, 512), dtype=np.float32), self.x[top:bottom], self.z[top:bottom], grain * 4
        )
        weight = 0.5 + contrast * ((fine - 0.5) * clear * 0.75 + (coarse - 0.5) * 0.7 + (grit - 0.5) * clear * 0.45)
        weight = np.clip(weight, 0, 1)
        self.colour[top:bottom] = blend(weight, low, high)
        self.heat[top:bottom] = heat + 16 * (coarse - 0.5) + 9 * (fine - 0.5) * clear

    def put(self, sprite: Sprite, x: float, row: float, shadow: float = 0.4, flip: bool = False) -> None:
        """Stand a sprite on the ground."""
        matrix = sprite.placed(x, row, pixels_per_metre(row), flip)
        pose, (bgr, ir) = sprite.pose(0.0), self.pictures()
        cast_shadow(bgr, pose, matrix, row, self.sun, shadow)
        for image, levels in ((bgr, pose.colour), (ir, pose.heat)):
            drawn = warp(levels, matrix, WIDTH, HEIGHT)
            if drawn is not None:
                paste(image, *drawn)

    def pictures(self) -> tuple[Picture, Picture]:
        """Round what is painted to bytes, once: painting comes before the first thing that is put."""
        if self.painted is None:
            self.painted = to_bytes(self.colour), to_bytes(self.heat)
        return self.painted

    def lamp(self, x: float, row: float) -> None:
        """Stand a street lamp and light the ground around it."""
        self.put(props.post(self.rng), x, row, 0.3)
        self.lamps.append((x + 1.2 * pixels_per_metre(row), row))

    def finish(self, near: float, far: float) -> Place:
        y, x = np.arange(HEIGHT, dtype=np.float32)[:, None], np.arange(WIDTH, dtype=np.float32)[None]
        lamps = np.zeros((HEIGHT, WIDTH), np.float32)
        for lamp_x, row in self.lamps:
            size = pixels_per_metre(row)
            lamps += 0.8 * _bell(x - lamp_x, 4.5 * size) * _bell(y - row - 0.9 * size, 2.2 * size)
            lamps += 0.4 * _bell(x - lamp_x, 1.3 * size) * _bell(y - row + 2.4 * size, 2.4 * size)
        light = self.light + blend(lamps, (36, 28, 25), (121, 163, 190))
        return Place(*self.pictures(), to_bytes(light), near, far, self.sun)


def _bell(offset: Plane, width: float) -> Plane:
    return np.exp(-((offset / width) ** 2))
