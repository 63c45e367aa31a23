"""Backgrounds: wide textured panoramas of a street, a park and a square, in daylight, heat and lamp light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from rgbt_tracker.data.synthetic import props, vehicles
from rgbt_tracker.data.synthetic.noise import Picture, Plane, blend, fractal, ground_coordinates, on_ground, to_bytes
from rgbt_tracker.data.synthetic.sprites import Sprite, cast_shadow, paste, warp

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


class _Layers:
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


def street(rng: np.random.Generator) -> Place:
    """Houses, parked cars and trees along a road with pavements."""
    layers = _Layers(rng)
    layers.sky()
    _houses(layers, HORIZON + 8, (50, 130), 0.72)
    _houses(layers, HORIZON + 40, (110, 230), 1.0)
    edge = HORIZON + 40.0
    layers.ground((95, 100, 102), (150, 156, 160), 108, 26, (edge, edge + 22), 0.8)
    layers.ground((62, 60, 58), (98, 96, 94), 122, 40, (edge + 22, edge + 150), 0.7)
    layers.ground((105, 112, 118), (160, 168, 172), 110, 30, (edge + 150, HEIGHT), 0.7)
    _paving(layers, int(edge + 150), HEIGHT, 1.1)
    for row, thick, heat in ((edge + 22, 3, 6), (edge + 150, 7, 8)):
        layers.colour[int(row) : int(row) + thick] *= 1.28
        layers.heat[int(row) : int(row) + thick] -= heat
    _dashes(layers, edge + 74)
    for x in np.arange(rng.uniform(40, 160), WIDTH, 330):
        layers.put(props.tree(rng), float(x), edge + 12)
    for x in np.arange(rng.uniform(120, 300), WIDTH, 420):
        layers.put(
            vehicles.car(rng, running=bool(rng.random() < 0.3)), float(x), edge + 40, 0.5, bool(rng.random() < 0.5)
        )
    for x in np.arange(rng.uniform(80, 260), WIDTH, 360):
        layers.lamp(float(x), edge + 17)
    return layers.finish(HEIGHT - 60, edge + 48)


def park(rng: np.random.Generator) -> Place:
    """Grass, a path, bushes and a row of trees."""
    layers = _Layers(rng)
    layers.sky()
    for depth, tall in ((0.5, 75), (0.8, 50)):
        _woods(layers, tall, depth)
    layers.ground((38, 92, 68), (70, 150, 122), 92, 34, (HORIZON + 2, HEIGHT), 1.1)
    _path(layers)
    spots = sorted((float(rng.uniform(8, 110)), float(rng.uniform(0, WIDTH))) for _ in range(16))
    for below, x in spots:
        maker = props.tree if below < 60 else (props.bush if rng.random() < 0.6 else props.bench)
        layers.put(maker(rng), x, HORIZON + 12 + below, 0.45)
    for left in np.arange(rng.uniform(80, 300), WIDTH, 450):
        layers.lamp(float(left), HORIZON + 84)
    return layers.finish(HEIGHT - 70, HORIZON + 85)


def square(rng: np.random.Generator) -> Place:
    """A paved square before a long facade, with warm and cold furniture."""
    layers = _Layers(rng)
    layers.sky()
    _houses(layers, HORIZON + 26, (130, 210), 1.0)
    warm = float(rng.uniform(100, 122))
    layers.ground((110, 122, 132), (168, 180, 190), warm, 24, (HORIZON + 26, HEIGHT), 0.8)
    _paving(layers, HORIZON + 26, HEIGHT, 0.8)
    spots = sorted((float(rng.uniform(30, 120)), float(rng.uniform(0, WIDTH))) for _ in range(9))
    for below, x in spots:
        maker: Callable[[np.random.Generator], Sprite] = [props.bench, props.bush, props.heater, props.tree][
            int(rng.integers(4))
        ]
        layers.put(maker(rng), x, HORIZON + 8 + below, 0.45)
    for left in np.arange(rng.uniform(80, 300), WIDTH, 400):
        layers.lamp(float(left), HORIZON + 60)
    return layers.finish(HEIGHT - 60, HORIZON + 85)


def _houses(layers: _Layers, foot: float, heights: tuple[int, int], contrast: float) -> None:
    """A row of house fronts with windows; some windows are warm and lit at night."""
    rng = layers.rng
    x = -30.0
    walls = (
        (120, 150, 180),
        (100, 120, 170),
        (165, 170, 175),
        (130, 160, 195),
        (90, 105, 130),
        (150, 140, 130),
        (140, 175, 200),
    )
    while x < WIDTH:
        width, tall = int(rng.uniform(110, 230)), int(rng.uniform(heights[0], heights[1]))
        left, right, top = max(int(x), 0), min(int(x + width), WIDTH), int(max(foot - tall, 0))
        if right - left > 4:
            rows, columns = slice(top, int(foot)), slice(left, right)
            shape = (int(foot) - top, right - left)
            grain = 0.72 + 0.36 * fractal(rng, *shape, (14, 5), 4) + 0.15 * fractal(rng, *shape, 120, 2)
            tint = np.asarray(walls[int(rng.integers(len(walls)))], np.float32) * rng.uniform(0.75, 1.05)
            haze = np.array([205, 200, 190], np.float32)
            layers.colour[rows, columns] = (grain[..., None] * tint) * contrast + haze * (1 - contrast)
            layers.heat[rows, columns] = rng.uniform(88, 112) + 14 * (grain - 1)
            _windows(layers, left, right, top, int(foot), contrast)
            layers.colour[top : top + 4, columns] *= 0.7
        x += width + (float(rng.uniform(0, 50)) if rng.random() < 0.4 else 0)


def _windows(layers: _Layers, left: int, right: int, top: int, foot: int, contrast: float) -> None:
    rng = layers.rng
    wide, tall = int(rng.uniform(11, 17)), int(rng.uniform(17, 24))
    for y in range(top + 12, foot - tall - 8, int(tall * 1.75)):
        for x in range(left + 9, right - wide - 6, int(wide * 1.9)):
            rows, columns = slice(y, y + tall), slice(x, x + wide)
            frame = slice(y - 2, y + tall + 2), slice(x - 2, x + wide + 2)
            layers.colour[frame] = (
                layers.colour[frame] * 0.4
                + 0.6 * np.array([190, 195, 200], np.float32) * contrast
                + 20 * (1 - contrast)
            )
            glass = np.linspace(1.3, 0.7, tall, dtype=np.float32)[:, None, None] * np.array([95, 80, 66], np.float32)
            layers.colour[rows, columns] = glass * rng.uniform(0.6, 1.4) * contrast + 170 * (1 - contrast)
            layers.colour[rows, x + wide // 2] *= 1.5
            warm = rng.random() < 0.25
            layers.heat[rows, columns] = rng.uniform(126, 152) if warm else rng.uniform(62, 82)
            if warm and contrast == 1.0:
                layers.light[rows, columns] = (90, 190, 235)


def _woods(layers: _Layers, tall: float, depth: float) -> None:
    """A far line of trees."""
    rng = layers.rng
    ridge = HORIZON + 4 - tall * (0.45 + 0.9 * fractal(rng, 1, WIDTH, (140, 1), 6)[0])
    leaves = fractal(rng, HEIGHT, WIDTH, 22, 4)
    y = np.arange(HEIGHT, dtype=np.float32)[:, None]
    mask = (y > ridge[None] + 14 * (leaves - 0.5)) & (y < HORIZON + 6)
    tint = (
        blend(np.clip((leaves - 0.5) * 1.8 + 0.5, 0, 1), (28, 58, 40), (70, 125, 95)) * depth + 205 * (1 - depth) * 0.6
    )
    layers.colour[mask] = tint[mask]
    layers.heat[mask] = (68 + 16 * leaves)[mask]


def _paving(layers: _Layers, top: int, bottom: int, size: float) -> None:
    """Joints and slightly different shades of square slabs, ``size`` metres wide."""
    count, cell = 24, 24
    shades = layers.rng.uniform(0.90, 1.08, (count, count)).astype(np.float32)
    tile = cv2.resize(shades, (count * cell, count * cell), interpolation=cv2.INTER_NEAREST)
    tile[::cell], tile[:, ::cell] = 0.68, 0.68
    tile = cv2.GaussianBlur(tile, (0, 0), 0.8)
    laid = on_ground(tile, layers.x[top:bottom], layers.z[top:bottom] * 0.35, cell / size)
    clear = np.clip((np.arange(top, bottom, dtype=np.float32) - HORIZON - 20) / 120, 0, 1)[:, None]
    laid = 1 + (laid - 1) * clear
    layers.colour[top:bottom] *= laid[..., None]
    layers.heat[top:bottom] += 14 * (laid - 1)


def _dashes(layers: _Layers, row: float) -> None:
    """The white line in the middle of the road."""
    top, bottom = int(row) - 2, int(row) + 8
    mask = np.zeros((bottom - top, WIDTH), np.uint8)
    for start in np.arange(20, WIDTH, 130):
        corners = np.array([(start, 2), (start + 62, 2), (start + 64, 7), (start - 2, 7)], np.float32)
        cv2.fillPoly(mask, [np.rint(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    cover = mask.astype(np.float32) / 255 * 0.75
    layers.colour[top:bottom] += cover[..., None] * (215 - layers.colour[top:bottom])
    layers.heat[top:bottom] -= 10 * cover


def _path(layers: _Layers) -> None:
    """A sandy path that winds along the picture."""
    rng = layers.rng
    x = np.arange(WIDTH, dtype=np.float32)
    middle = HORIZON + 150 + 22 * np.sin(x / 260 + rng.uniform(0, 6)) + 10 * np.sin(x / 90)
    y = np.arange(HEIGHT, dtype=np.float32)[:, None]
    rim = 9 * (fractal(rng, HEIGHT, WIDTH, 16, 3) - 0.5)
    cover: Plane = np.clip((28 - np.abs(y - middle[None]) + rim) / 4, 0, 1)
    sand = blend(fractal(rng, HEIGHT, WIDTH, (16, 6), 4), (110, 140, 160), (165, 195, 212))
    layers.colour = layers.colour * (1 - cover[..., None]) + sand * cover[..., None]
    layers.heat = layers.heat * (1 - cover) + (112 + 8 * rim / 9) * cover


def patchwork(rng: np.random.Generator) -> Place:
    """No place at all: patches of random textures, as different from each other as can be. For training only."""
    layers = _Layers(rng)
    edges = fractal(rng, HEIGHT, WIDTH, float(rng.uniform(90, 400)), 3)
    levels = np.sort(rng.uniform(0.2, 0.8, int(rng.integers(2, 6))))
    warmth = float(rng.uniform(-0.5, 0.5))
    for number in range(len(levels) + 1):
        part = np.digitize(edges, levels) == number
        low, high = rng.uniform(10, 150, 3), rng.uniform(60, 250, 3)
        cell = (float(rng.uniform(4, 80)), float(rng.uniform(4, 80)))
        weight = fractal(rng, HEIGHT, WIDTH, cell, 4)
        layers.colour[part] = blend(weight, low, high)[part]
        heat = rng.uniform(40, 170) + 60 * warmth * (weight - 0.5) + 40 * (fractal(rng, HEIGHT, WIDTH, 60, 3) - 0.5)
        layers.heat[part] = heat[part]
    for _ in range(int(rng.integers(0, 10))):
        maker = (props.bush, props.heater, props.tree, props.bench)[int(rng.integers(4))]
        layers.put(maker(rng), float(rng.uniform(0, WIDTH)), float(rng.uniform(HORIZON + 20, HORIZON + 160)))
    return layers.finish(HEIGHT - 60, HORIZON + 70)


def from_photograph(image: Picture, rng: np.random.Generator) -> Place:
    """A photograph as the background, with an invented thermal view: its smoothed brightness, scaled by chance."""
    layers = _Layers(rng)
    factor = max(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    grown = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)[:HEIGHT, :WIDTH]
    layers.colour = grown.astype(np.float32)
    grey = cv2.GaussianBlur(grown.mean(2), (0, 0), float(rng.uniform(1, 4))).astype(np.float32)
    tint = grown[..., 0].astype(np.float32) - grown[..., 2]
    mixed = rng.uniform(-0.5, 0.5) * (grey - grey.mean()) + rng.uniform(-0.3, 0.3) * tint
    layers.heat = rng.uniform(60, 140) + mixed + 25 * (fractal(rng, HEIGHT, WIDTH, 120, 4) - 0.5)
    return layers.finish(HEIGHT - 60, HORIZON + 70)


PLACES: dict[str, Callable[[np.random.Generator], Place]] = {"street": street, "park": park, "square": square}
