"""Cars, vans and bicycles seen from the side, driving to the right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rgbt_tracker.synthetic.canvas import Canvas, Colour, Paint, Point, scaled
from rgbt_tracker.synthetic.noise import fractal
from rgbt_tracker.synthetic.people import CLOTHES, TROUSERS
from rgbt_tracker.synthetic.sprites import Pose, Sprite

PAINTS: tuple[Colour, ...] = (
    (40, 40, 175), (150, 70, 30), (215, 215, 215), (55, 55, 58), (150, 150, 152), (60, 110, 50), (35, 150, 205),
    (120, 95, 60), (35, 70, 150), (90, 40, 60),
)  # fmt: skip
CAR_SCALE = 75.0  # drawing pixels per metre
# Outlines x1 y1 x2 y2 ... in metres, x forward from the rear bumper, y up from the ground: the body, then its windows.
_OUTLINES = {
    "sedan": (
        "0 .42 .05 .86 .35 .95 .95 1.0 1.45 1.4 2.55 1.43 3.3 1.0 4.2 .86 4.45 .68 4.5 .36 .1 .28",
        "1.12 .99 1.52 1.33 2.5 1.36 3.08 .99",
    ),
    "hatch": (
        "0 .4 .05 .95 .4 1.42 .8 1.5 2.1 1.5 2.85 1.04 3.6 .9 3.78 .65 3.8 .35 .1 .28",
        ".48 1.02 .68 1.4 2.05 1.42 2.62 1.02",
    ),
    "van": (
        "0 .4 .02 1.95 .2 2.05 3.5 2.05 4.25 1.35 4.8 1.15 4.88 .7 4.9 .36 .1 .28",
        "3.0 1.3 3.0 1.9 3.45 1.9 4.02 1.3",
    ),
    "suv": (
        "0 .5 .04 1.1 .3 1.65 .6 1.72 2.7 1.72 3.3 1.16 4.15 1.05 4.36 .8 4.4 .45 .1 .36",
        ".45 1.15 .6 1.6 2.62 1.62 3.08 1.15",
    ),
}


def _points(text: str) -> list[Point]:
    values = [float(value) for value in text.split()]
    return list(zip(values[0::2], values[1::2], strict=True))


def car(
    rng: np.random.Generator, shape: str | None = None, colour: Colour | None = None, running: bool = True
) -> Sprite:
    """A car with turning wheels; a ``running`` one has a hot bonnet, tyres and exhaust."""
    body, glass = (_points(text) for text in _OUTLINES[shape or str(rng.choice(list(_OUTLINES)))])
    length = max(x for x, _ in body)
    tint = colour or scaled(PAINTS[int(rng.integers(len(PAINTS)))], float(rng.uniform(0.85, 1.15)))
    tall = max(y for _, y in body)
    width, height = int((length + 0.5) * CAR_SCALE), int((tall + 0.35) * CAR_SCALE)
    foot = (0.25 * CAR_SCALE, height - 0.08 * CAR_SCALE)
    dirt = fractal(rng, height, width, 30, 3)

    def paint(index: int) -> Pose:
        canvas = Canvas(height, width)
        _car_body(canvas, foot, length, body, glass, tint, running)
        for x in (0.2 * length, 0.8 * length):
            _wheel(canvas, (foot[0] + x * CAR_SCALE, foot[1] - 0.31 * CAR_SCALE), index / 6 * 2 * np.pi / 5, running)
        canvas.roughen(dirt, 0.10, 0.10)
        return Pose.of(*canvas.finish())

    return Sprite("car", paint, 6, (width / 2, foot[1]), CAR_SCALE, stride=0.4)


def _car_body(
    canvas: Canvas, foot: Point, length: float, body: list[Point], glass: list[Point], tint: Colour, running: bool
) -> None:
    def at(points: list[Point]) -> np.ndarray:
        return np.array([(foot[0] + x * CAR_SCALE, foot[1] - y * CAR_SCALE) for x, y in points], np.float32)

    warm = 112.0 if running else 92.0
    canvas.polygon(
        at([(0.3, 0.34), (length - 0.3, 0.34), (length - 0.4, 0.16), (0.4, 0.16)]),
        Paint((22, 22, 24), 150 if running else 84),
    )
    canvas.polygon(at(body), Paint(tint, warm), 1.25, 0.55)
    sill = [(0.08, 0.46), (length - 0.06, 0.46), (length - 0.05, 0.30), (0.1, 0.26)]
    canvas.polygon(at(sill), Paint(scaled(tint, 0.45), warm + 10))
    if running:
        front = [p for p in body if p[0] > 0.72 * length]
        middle = (float(np.mean([p[0] for p in front])), 0.72)
        start = (foot[0] + (middle[0] - 0.25) * CAR_SCALE, foot[1] - middle[1] * CAR_SCALE)
        _glow(canvas, start, 0.75 * CAR_SCALE, 82)
        _glow(canvas, (foot[0] + 0.15 * CAR_SCALE, foot[1] - 0.3 * CAR_SCALE), 0.22 * CAR_SCALE, 90)
    canvas.polygon(at(glass), Paint((70, 60, 50), 62), 1.9, 0.7)
    low, high = glass[0][1], glass[1][1]
    pillar = (glass[1][0] + glass[2][0]) / 2 + 0.1
    canvas.stroke(at([(pillar, low), (pillar - 0.03, high + 0.02)]), 4, Paint(scaled(tint, 0.7), warm))
    canvas.stroke(at([(pillar + 0.02, low - 0.02), (pillar + 0.05, 0.45)]), 1.5, Paint(scaled(tint, 0.4), warm))
    canvas.stroke(at([(0.2, 0.78), (length - 0.25, 0.72)]), 1.5, Paint(scaled(tint, 1.5), warm))
    canvas.capsule(
        *_pair(at([(length - 0.16, 0.72), (length - 0.07, 0.68)])), 5, 4, Paint((235, 245, 250), 128, gloss=1.5)
    )
    canvas.capsule(*_pair(at([(0.06, 0.82), (0.08, 0.68)])), 4, 4, Paint((40, 40, 210), 118, gloss=1.0))


def _pair(points: np.ndarray) -> tuple[Point, Point]:
    return (float(points[0, 0]), float(points[0, 1])), (float(points[1, 0]), float(points[1, 1]))


def _glow(canvas: Canvas, middle: Point, radius: float, gain: float) -> None:
    """Add heat around a point, inside what is drawn already."""
    y, x = np.mgrid[: canvas.alpha.shape[0], : canvas.alpha.shape[1]].astype(np.float32)
    bell = np.exp(-(((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * (radius / 1.6) ** 2)))
    canvas.heat += gain * bell * canvas.alpha


def _wheel(canvas: Canvas, middle: Point, angle: float, running: bool) -> None:
    tyre = 0.32 * CAR_SCALE
    canvas.capsule(middle, middle, tyre * 1.12, tyre * 1.12, Paint((16, 16, 17), 105))
    canvas.capsule(middle, middle, tyre, tyre, Paint((38, 38, 40), 172 if running else 92))
    canvas.capsule(middle, middle, tyre * 0.62, tyre * 0.62, Paint((165, 165, 168), 138 if running else 90, gloss=0.8))
    for spoke in range(5):
        turn = angle + spoke * 2 * np.pi / 5
        tip = (middle[0] + tyre * 0.55 * np.cos(turn), middle[1] + tyre * 0.55 * np.sin(turn))
        canvas.stroke([middle, tip], 3, Paint((70, 70, 74), 130))


BIKE_SCALE = 120.0


def cyclist(rng: np.random.Generator, phases: int = 12) -> Sprite:
    """Somebody on a bicycle, pedalling."""
    height, width = int(2.0 * BIKE_SCALE), int(2.1 * BIKE_SCALE)
    frame = Paint(PAINTS[int(rng.integers(len(PAINTS)))], 118, gloss=0.5)
    top = Paint(CLOTHES[int(rng.integers(len(CLOTHES)))], 178)
    legs = Paint(TROUSERS[int(rng.integers(len(TROUSERS)))], 170)
    helmet = Paint(CLOTHES[int(rng.integers(len(CLOTHES)))], 142, gloss=0.5)
    cloth = fractal(rng, height, width, 12, 3)
    foot = (width / 2, height - 0.06 * BIKE_SCALE)

    def paint(index: int) -> Pose:
        canvas = Canvas(height, width)
        _rider(canvas, foot, 2 * np.pi * index / phases, frame, top, legs, helmet)
        canvas.roughen(cloth, 0.14, 0.10)
        return Pose.of(*canvas.finish())

    return Sprite("cyclist", paint, phases, foot, BIKE_SCALE, stride=4.5)


def _rider(canvas: Canvas, foot: Point, phase: float, frame: Paint, top: Paint, legs: Paint, helmet: Paint) -> None:
    def at(x: float, y: float) -> Point:
        return (foot[0] + x * BIKE_SCALE, foot[1] - y * BIKE_SCALE)

    def limb(a: Point, b: Point, ra: float, rb: float, paint: Paint) -> None:
        canvas.capsule(at(*a), at(*b), ra * BIKE_SCALE, rb * BIKE_SCALE, paint)

    rubber, skin, shoe = Paint((28, 28, 30), 128), Paint((120, 150, 205), 222), Paint((40, 40, 44), 138)
    rear, ahead, crank, seat, bar = (-0.52, 0.34), (0.52, 0.34), (-0.08, 0.30), (-0.22, 0.90), (0.40, 0.98)
    pedals = [(crank[0] + 0.16 * np.cos(-phase + turn), crank[1] + 0.16 * np.sin(-phase + turn)) for turn in (0, np.pi)]
    hip, shoulder, hand = (-0.20, 0.98), (0.12, 1.45), (0.42, 1.02)
    for middle in (rear, ahead):
        circle = [at(middle[0] + 0.33 * np.cos(t), middle[1] + 0.33 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 40)]
        for spoke in range(8):
            turn = -phase * 2.5 + spoke * np.pi / 4
            canvas.stroke(
                [at(*middle), at(middle[0] + 0.32 * np.cos(turn), middle[1] + 0.32 * np.sin(turn))],
                1,
                Paint((150, 150, 150), 100),
            )
        canvas.stroke(circle, 0.045 * BIKE_SCALE, rubber, closed=True)
    _rider_leg(limb, hip, pedals[1], legs.darker(0.75), shoe.darker(0.8))
    for line in ([rear, crank, (0.36, 0.80), (-0.2, 0.80), rear], [crank, seat], [ahead, bar, (0.46, 1.02)]):
        canvas.stroke([at(*point) for point in line], 0.04 * BIKE_SCALE, frame)
    limb((-0.32, 0.92), (-0.12, 0.91), 0.035, 0.02, rubber)
    limb(hip, shoulder, 0.135, 0.125, top)
    limb(
        (shoulder[0] + 0.05, shoulder[1] + 0.06),
        (shoulder[0] + 0.11, shoulder[1] + 0.13),
        0.06,
        0.06,
        skin.darker(0.85),
    )
    limb((0.27, 1.66), (0.28, 1.58), 0.10, 0.085, skin)
    limb((0.20, 1.71), (0.30, 1.72), 0.095, 0.08, helmet)
    _rider_leg(limb, hip, pedals[0], legs, shoe)
    limb((shoulder[0], shoulder[1] - 0.02), (0.24, 1.16), 0.062, 0.05, top.darker(0.92))
    limb((0.24, 1.16), hand, 0.048, 0.036, skin)


def _rider_leg(
    limb: Callable[[Point, Point, float, float, Paint], None], hip: Point, pedal: Point, paint: Paint, shoe: Paint
) -> None:
    """Thigh and shin (0.42 m and 0.44 m) from hip to pedal, the knee in front."""
    thigh, shin = 0.42, 0.44
    dx, dy = pedal[0] - hip[0], pedal[1] + 0.05 - hip[1]
    span = min(float(np.hypot(dx, dy)), thigh + shin - 1e-3)
    along = (thigh**2 - shin**2 + span**2) / (2 * span)
    out = float(np.sqrt(max(thigh**2 - along**2, 0)))
    ux, uy = dx / span, dy / span
    knee = (hip[0] + ux * along - uy * out, hip[1] + uy * along + ux * out)
    ankle = (hip[0] + ux * span, hip[1] + uy * span)
    limb(hip, knee, 0.095, 0.068, paint)
    limb(knee, ankle, 0.066, 0.042, paint)
    limb((ankle[0] - 0.04, ankle[1] - 0.02), (ankle[0] + 0.10, ankle[1] - 0.03), 0.04, 0.03, shoe)
