"""Backgrounds: wide textured panoramas of a street, a park and a square; patches and photographs for training."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from rgbt_tracker.synthetic import props, vehicles
from rgbt_tracker.synthetic.noise import Picture, Plane, blend, fractal, on_ground
from rgbt_tracker.synthetic.panorama import HEIGHT, HORIZON, WIDTH, Layers, Place
from rgbt_tracker.synthetic.sprites import Sprite


def street(rng: np.random.Generator) -> Place:
    """Houses, parked cars and trees along a road with pavements."""
    layers = Layers(rng)
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
    layers = Layers(rng)
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
    layers = Layers(rng)
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


def _houses(layers: Layers, foot: float, heights: tuple[int, int], contrast: float) -> None:
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


def _windows(layers: Layers, left: int, right: int, top: int, foot: int, contrast: float) -> None:
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


def _woods(layers: Layers, tall: float, depth: float) -> None:
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


def _paving(layers: Layers, top: int, bottom: int, size: float) -> None:
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


def _dashes(layers: Layers, row: float) -> None:
    """The white line in the middle of the road."""
    top, bottom = int(row) - 2, int(row) + 8
    mask = np.zeros((bottom - top, WIDTH), np.uint8)
    for start in np.arange(20, WIDTH, 130):
        corners = np.array([(start, 2), (start + 62, 2), (start + 64, 7), (start - 2, 7)], np.float32)
        cv2.fillPoly(mask, [np.rint(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    cover = mask.astype(np.float32) / 255 * 0.75
    layers.colour[top:bottom] += cover[..., None] * (215 - layers.colour[top:bottom])
    layers.heat[top:bottom] -= 10 * cover


def _path(layers: Layers) -> None:
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
    layers = Layers(rng)
    edges = fractal(rng, HEIGHT, WIDTH, float(rng.uniform(90, 400)), 3)
    levels = np.sort(rng.uniform(0.2, 0.8, int(rng.integers(2, 6))))
    gain = float(rng.uniform(-0.5, 0.5))
    for number in range(len(levels) + 1):
        part = np.digitize(edges, levels) == number
        low, high = rng.uniform(10, 150, 3), rng.uniform(60, 250, 3)
        cell = (float(rng.uniform(4, 80)), float(rng.uniform(4, 80)))
        weight = fractal(rng, HEIGHT, WIDTH, cell, 4)
        layers.colour[part] = blend(weight, low, high)[part]
        heat = rng.uniform(40, 170) + 60 * gain * (weight - 0.5) + 40 * (fractal(rng, HEIGHT, WIDTH, 60, 3) - 0.5)
        layers.heat[part] = heat[part]
    for _ in range(int(rng.integers(0, 10))):
        maker = (props.bush, props.heater, props.tree, props.bench)[int(rng.integers(4))]
        layers.put(maker(rng), float(rng.uniform(0, WIDTH)), float(rng.uniform(HORIZON + 20, HORIZON + 160)))
    return layers.finish(HEIGHT - 60, HORIZON + 70)


def from_photograph(image: Picture, rng: np.random.Generator) -> Place:
    """A photograph as the background, with an invented thermal view: its smoothed brightness, scaled by chance."""
    layers = Layers(rng)
    factor = max(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    grown = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)[:HEIGHT, :WIDTH]
    layers.colour = grown.astype(np.float32)
    grey = cv2.GaussianBlur(grown.mean(2), (0, 0), float(rng.uniform(1, 4))).astype(np.float32)
    tint = grown[..., 0].astype(np.float32) - grown[..., 2]
    mixed = rng.uniform(-0.5, 0.5) * (grey - grey.mean()) + rng.uniform(-0.3, 0.3) * tint
    layers.heat = rng.uniform(60, 140) + mixed + 25 * (fractal(rng, HEIGHT, WIDTH, 120, 4) - 0.5)
    return layers.finish(HEIGHT - 60, HORIZON + 70)


PLACES: dict[str, Callable[[np.random.Generator], Place]] = {"street": street, "park": park, "square": square}
