"""Things that stand still: trees, bushes, posts, kiosks. They decorate a place or hide the target."""

from __future__ import annotations

import numpy as np

from rgbt_tracker.synthetic.canvas import Canvas, Colour, Paint, Point, scaled, stripes
from rgbt_tracker.synthetic.noise import fractal
from rgbt_tracker.synthetic.sprites import Pose, Sprite

LEAVES: tuple[Colour, ...] = ((45, 110, 70), (40, 90, 50), (50, 120, 105), (35, 85, 75), (40, 100, 130))


def _still(kind: str, canvas: Canvas, foot: Point, pixels_per_metre: float) -> Sprite:
    return Sprite(kind, lambda _: Pose.of(*canvas.finish()), 1, foot, pixels_per_metre)


def _foliage(canvas: Canvas, rng: np.random.Generator, middle: Point, spread: Point, count: int, leaf: Colour) -> None:
    """Clumps of leaves, the upper left ones in the light."""
    height, width = canvas.alpha.shape
    clumps = rng.normal(0, 0.42, (count, 2)).clip(-0.9, 0.9)
    for dx, dy in clumps[np.argsort(-clumps[:, 1])]:
        at = (middle[0] + dx * spread[0], middle[1] + dy * spread[1])
        radius = min(spread) * rng.uniform(0.16, 0.32)
        tint = scaled(leaf, float(rng.uniform(0.75, 1.15) * (0.95 - 0.3 * dy)))
        canvas.capsule(at, at, radius, radius, Paint(tint, 82 - 8 * dy))
    # Gaps between leaves at the rim.
    noise = fractal(rng, height, width, 9, 2)
    y = np.mgrid[:height, :width][0]
    ragged = np.where(
        y < middle[1] + spread[1], np.clip((canvas.alpha * 1.05 - 0.75 * (noise > 0.66)) * 3, 0, 1), 1
    ).astype(np.float32)
    canvas.colour *= ragged[..., None]
    canvas.heat *= ragged
    canvas.alpha *= ragged
    canvas.roughen(fractal(rng, height, width, 7, 2), 0.75, 0.22)


def tree(rng: np.random.Generator) -> Sprite:
    """A broad-leaved tree, 5 to 8 m tall."""
    unit, tall = 40.0, float(rng.uniform(5, 8))
    width, height = int(unit * tall * 0.75), int(unit * tall)
    foot, leaf = (width / 2, height - 6.0), LEAVES[int(rng.integers(len(LEAVES)))]
    canvas = Canvas(height, width)
    _foliage(canvas, rng, (width / 2, height * 0.34), (width * 0.40, height * 0.28), 46, leaf)
    top = Canvas(height, width)
    bark = Paint((50, 70, 90), 101)
    top.capsule(foot, (width / 2 + 4, height * 0.42), unit * 0.19, unit * 0.10, bark)
    for side in (-1, 1):
        top.capsule(
            (width / 2 + 2, height * 0.55),
            (width / 2 + side * width * 0.16, height * 0.38),
            unit * 0.08,
            unit * 0.04,
            bark,
        )
    top.roughen(fractal(rng, height, width, (5, 22), 2), 0.7, 0.15)
    for name in ("colour", "heat", "alpha"):  # leaves in front of the trunk
        front, behind = getattr(canvas, name), getattr(top, name)
        keep = 1 - canvas.alpha if name != "colour" else 1 - canvas.alpha[..., None]
        setattr(top, name, front + behind * keep)
    return _still("tree", top, foot, unit)


def bush(rng: np.random.Generator) -> Sprite:
    """A bush, 1 to 1.6 m tall and about twice as wide."""
    unit, tall = 90.0, float(rng.uniform(1.0, 1.6))
    width, height = int(unit * tall * 2.1), int(unit * tall * 1.1)
    canvas = Canvas(height, width)
    leaf = LEAVES[int(rng.integers(len(LEAVES)))]
    _foliage(canvas, rng, (width / 2, height * 0.62), (width * 0.42, height * 0.34), 50, leaf)
    return _still("bush", canvas, (width / 2, height * 0.97), unit)


def post(rng: np.random.Generator, lamp: bool = True) -> Sprite:
    """A street lamp, or a thick advertising pillar."""
    if not lamp:
        return _pillar(rng)
    unit = 45.0
    width, height = int(unit * 2.2), int(unit * 5.2)
    foot = (width * 0.3, height - 5.0)
    canvas, steel = Canvas(height, width), Paint((70, 75, 70), 104, gloss=0.6)
    canvas.capsule(foot, (foot[0], unit * 0.4), 4.2, 2.6, steel)
    canvas.capsule((foot[0], foot[1]), (foot[0], foot[1] - unit * 0.5), 6.5, 5.5, steel)
    canvas.capsule((foot[0], unit * 0.4), (foot[0] + unit * 1.2, unit * 0.25), 2.4, 2.0, steel)
    canvas.capsule(
        (foot[0] + unit * 1.0, unit * 0.28), (foot[0] + unit * 1.45, unit * 0.28), 4, 3.4, Paint((200, 220, 225), 196)
    )
    return _still("post", canvas, foot, unit)


def _pillar(rng: np.random.Generator) -> Sprite:
    unit, tall = 85.0, 2.9
    width, height = int(unit * 1.2), int(unit * tall)
    foot = (width / 2, height - 12.0)
    canvas = Canvas(height, width)
    grey = Paint((120, 130, 130), 108)
    left, right = width / 2 - unit * 0.42, width / 2 + unit * 0.42
    tint = tuple(float(v) for v in rng.uniform(60, 210, 3))
    canvas.polygon([(left, unit * 0.35), (right, unit * 0.35), (right, foot[1] + 6), (left, foot[1] + 6)], grey)
    ad = Paint((tint[0], tint[1], tint[2]), 104, (215, 215, 210), stripes(3, 8))
    canvas.polygon(
        [(left + 6, unit * 0.6), (right - 6, unit * 0.6), (right - 6, unit * 1.9), (left + 6, unit * 1.9)], ad
    )
    canvas.capsule((left, unit * 0.3), (right, unit * 0.3), unit * 0.12, unit * 0.12, Paint((60, 80, 60), 98))
    # A cylinder: dark towards its sides.
    x = (np.arange(width, dtype=np.float32) - width / 2) / (unit * 0.42)
    shade = (0.5 + 0.6 * np.sqrt(np.maximum(1 - np.minimum(np.abs(x + 0.2), 1) ** 2, 0)))[None]
    canvas.colour *= shade[..., None]
    canvas.heat *= 0.85 + 0.15 * shade
    canvas.roughen(fractal(rng, height, width, 30, 4), 0.25, 0.12)
    return _still("pillar", canvas, foot, unit)


def bench(rng: np.random.Generator) -> Sprite:
    """A wooden bench or a bin, knee-high clutter."""
    unit = 90.0
    width, height = int(unit * 2.0), int(unit * 1.05)
    foot, canvas = (width / 2, height - 5.0), Canvas(height, width)
    wood, iron = Paint((55, 90, 135), 112), Paint((50, 52, 52), 98)
    for x in (0.15, 0.85):
        canvas.stroke([(width * x, height * 0.1), (width * x, height - 6)], 6, iron)
    for y in (0.12, 0.26, 0.40, 0.58):
        canvas.polygon(
            [(6, height * y), (width - 6, height * y), (width - 6, height * y + 9), (6, height * y + 9)], wood
        )
    canvas.roughen(fractal(rng, height, width, (40, 5), 3), 0.5, 0.15)
    return _still("bench", canvas, foot, unit)


def heater(rng: np.random.Generator) -> Sprite:
    """A warm box about as tall as a person: what thermal clutter looks like."""
    unit, tall, wide = 100.0, float(rng.uniform(1.2, 1.8)), float(rng.uniform(0.45, 0.8))
    width, height = int(unit * (wide + 0.2)), int(unit * (tall + 0.15))
    foot, canvas = (width / 2, height - 6.0), Canvas(height, width)
    grey = float(rng.uniform(90, 180))
    left, right, top = width / 2 - unit * wide / 2, width / 2 + unit * wide / 2, foot[1] - unit * tall
    box = Paint((grey, grey * 1.02, grey * 0.98), float(rng.uniform(150, 190)))
    canvas.polygon([(left, top), (right, top), (right, foot[1]), (left, foot[1])], box)
    for step in range(4):
        y = top + unit * (0.15 + 0.1 * step)
        canvas.polygon([(left + 8, y), (right - 8, y), (right - 8, y + 5), (left + 8, y + 5)], Paint((50, 50, 52), 215))
    canvas.roughen(fractal(rng, height, width, 25, 3), 0.2, 0.15)
    return _still("heater", canvas, foot, unit)
