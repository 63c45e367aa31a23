"""Dogs, and things without a name: smooth outlines with arbitrary textures."""

from __future__ import annotations

import numpy as np

from rgbt_tracker.synthetic.canvas import Canvas, Colour, Paint, Point, halves, plaid, scaled, stripes
from rgbt_tracker.synthetic.noise import fractal
from rgbt_tracker.synthetic.sprites import Pose, Sprite

FURS: tuple[Colour, ...] = ((40, 75, 120), (70, 130, 185), (215, 222, 228), (38, 38, 42), (110, 125, 140), (30, 55, 90))
DOG_SCALE = 190.0


def dog(rng: np.random.Generator, phases: int = 12) -> Sprite:
    """A dog trotting to the right."""
    fur = scaled(FURS[int(rng.integers(len(FURS)))], float(rng.uniform(0.9, 1.1)))
    patch = FURS[int(rng.integers(len(FURS)))]
    coat = (
        Paint(fur, 176, patch, [halves(0.45), halves(0.7), stripes(1.5)][int(rng.integers(3))])
        if rng.random() < 0.6
        else Paint(fur, 176)
    )
    size = float(rng.uniform(0.8, 1.2))
    height, width = int(0.95 * DOG_SCALE), int(1.35 * DOG_SCALE)
    foot = (width / 2, height - 0.05 * DOG_SCALE)
    hair = fractal(rng, height, width, 7, 2)

    def paint(index: int) -> Pose:
        canvas = Canvas(height, width)
        _dog(canvas, foot, 2 * np.pi * index / phases, coat, Paint(fur, 188))
        canvas.roughen(hair, 0.35, 0.16)
        return Pose.of(*canvas.finish())

    return Sprite("dog", paint, phases, foot, DOG_SCALE / size, stride=0.8)


def _dog(canvas: Canvas, foot: Point, phase: float, coat: Paint, plain: Paint) -> None:
    bounce = 0.012 * np.cos(2 * phase)

    def limb(a: Point, b: Point, ra: float, rb: float, paint: Paint) -> None:
        points = [(foot[0] + x * DOG_SCALE, foot[1] - max(y + bounce, 0.03) * DOG_SCALE) for x, y in (a, b)]
        canvas.capsule(points[0], points[1], ra * DOG_SCALE, rb * DOG_SCALE, paint)

    def leg(x: float, turn: float, paint: Paint) -> None:
        swing, lift = 0.38 * np.sin(turn), 0.07 * max(float(np.cos(turn)), 0)
        knee = (x + 0.15 * np.sin(swing), 0.22 + lift)
        paw = (x + 0.30 * np.sin(swing * 1.1), 0.03 + lift)
        limb((x, 0.40), knee, 0.075, 0.04, paint)
        limb(knee, paw, 0.036, 0.026, Paint(paint.colour, paint.heat - 14))
        limb(paw, (paw[0] + 0.03, paw[1] - 0.005), 0.026, 0.022, Paint(paint.colour, paint.heat - 26))

    shade = plain.darker(0.7)
    leg(0.24, phase + np.pi, shade)
    leg(-0.24, phase, shade)
    wag = 0.08 * np.sin(phase)
    limb((-0.32, 0.48), (-0.46 + 0.2 * wag, 0.62 + wag), 0.032, 0.016, plain)
    limb((-0.25, 0.45), (0.24, 0.46), 0.115, 0.125, coat)
    leg(0.22, phase, plain)
    leg(-0.26, phase + np.pi, plain)
    limb((0.27, 0.50), (0.38, 0.66), 0.085, 0.07, plain)
    limb((0.37, 0.69), (0.42, 0.68), 0.085, 0.075, plain)
    limb((0.44, 0.66), (0.54, 0.63), 0.05, 0.036, Paint(plain.colour, 205))
    limb((0.555, 0.645), (0.56, 0.64), 0.016, 0.016, Paint((20, 20, 24), 120))
    limb((0.34, 0.76), (0.31, 0.66), 0.034, 0.024, plain.darker(0.7))
    limb((0.445, 0.705), (0.45, 0.705), 0.011, 0.011, Paint((15, 15, 18), 232))


def thing(rng: np.random.Generator, phases: int = 6) -> Sprite:
    """An object of arbitrary outline, texture and temperature that wobbles a little."""
    size, aspect = 150, float(np.exp(rng.uniform(-0.8, 0.8)))
    half = np.array([np.sqrt(aspect), 1 / np.sqrt(aspect)]) * size * 0.36
    width, height = (int(value) for value in 2 * half * 1.45 + 12)
    orders = np.arange(2, 7)
    strength, start = rng.normal(0, 0.22, 5) / orders, rng.uniform(0, 2 * np.pi, 5)
    heat = float(rng.uniform(20, 235))
    colours = [_muted(rng) for _ in range(3)]
    spots = fractal(rng, height, width, float(rng.uniform(10, 50)), 3)
    warm = fractal(rng, height, width, float(rng.uniform(12, 60)), 2)
    pattern = [
        None,
        stripes(float(rng.uniform(1, 6))),
        plaid(float(rng.uniform(1, 4))),
        halves(float(rng.uniform(0.3, 0.7))),
    ][int(rng.integers(4))]
    parts = [
        (rng.uniform(-0.6, 0.6, 2), rng.uniform(-0.6, 0.6, 2), rng.uniform(0.06, 0.3))
        for _ in range(int(rng.integers(0, 5)))
    ]
    wobble = float(rng.choice([0.0, 0.05, 0.12]))

    def paint(index: int) -> Pose:
        turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        sway = wobble * np.sin(2 * np.pi * index / phases + np.arange(5))
        radius = 1 + ((strength + sway / orders)[:, None] * np.cos(orders[:, None] * turn + start[:, None])).sum(0)
        middle = np.array([width / 2, height / 2])
        outline = middle + half * np.clip(radius, 0.35, 1.4)[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
        canvas = Canvas(height, width)
        canvas.polygon(outline, Paint(colours[0], heat, colours[1], pattern), 1.15, 0.75)
        for a, b, r in parts:
            ends = middle + half * a, middle + half * b
            canvas.capsule(
                (ends[0][0], ends[0][1]),
                (ends[1][0], ends[1][1]),
                r * half.min(),
                r * half.min(),
                Paint(colours[2], (heat + 90) % 235),
            )
        canvas.roughen(spots, 0.9, 0.0)
        canvas.roughen(warm, 0.0, 0.6)
        return Pose.of(*canvas.finish())

    metres = float(rng.uniform(0.6, 2.0))
    return Sprite(
        "thing",
        paint,
        phases,
        (width / 2, height / 2 + half[1] * 0.9),
        2 * half[1] / metres,
        stride=float(rng.uniform(0.5, 2)),
    )


def _muted(rng: np.random.Generator) -> Colour:
    """A random BGR colour, seldom a loud one."""
    grey, spread = float(rng.uniform(25, 225)), float(rng.uniform(5, 90))
    blue, green, red = (min(max(grey + spread * float(tint), 5.0), 250.0) for tint in rng.uniform(-1, 1, 3))
    return blue, green, red
