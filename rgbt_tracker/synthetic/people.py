"""Walking people, drawn limb by limb."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rgbt_tracker.synthetic.canvas import Canvas, Colour, Paint, Pattern, Point, plaid, stripes
from rgbt_tracker.synthetic.noise import fractal
from rgbt_tracker.synthetic.sprites import Pose, Sprite

UNIT = 230.0  # drawing pixels of a body's height
MARGIN = 14
SKINS: tuple[Colour, ...] = ((150, 175, 225), (120, 150, 205), (85, 115, 170), (60, 85, 130), (45, 60, 95))
HAIRS: tuple[Colour, ...] = ((25, 30, 38), (30, 50, 85), (70, 120, 175), (150, 155, 160), (35, 45, 120))
CLOTHES: tuple[Colour, ...] = (
    (45, 45, 190), (160, 75, 35), (70, 140, 60), (40, 170, 215), (225, 225, 225), (50, 50, 52), (140, 60, 120),
    (170, 160, 60), (60, 105, 150), (95, 95, 100), (35, 35, 90), (90, 60, 30), (180, 130, 200), (60, 120, 235),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = (
    (110, 70, 40),
    (60, 50, 45),
    (45, 45, 48),
    (85, 110, 135),
    (100, 100, 104),
    (130, 120, 90),
    (50, 70, 60),
)


@dataclass(frozen=True)
class Look:
    """Everything that tells one person from another."""

    skin: Colour
    hair: Colour
    top: Colour
    second: Colour
    pattern: Pattern | None
    legs: Colour
    shoes: Colour
    height: float  # metres
    build: float  # 1 is average
    long_hair: bool
    bag: Colour | None
    coat: bool
    heat: float  # added to that of the clothes

    @classmethod
    def random(cls, rng: np.random.Generator) -> Look:
        """Draw somebody."""
        patterns: list[Pattern | None] = [None, None, stripes(5), stripes(9), plaid(4)]
        return cls(
            skin=_pick(rng, SKINS),
            hair=_pick(rng, HAIRS),
            top=_pick(rng, CLOTHES),
            second=_pick(rng, CLOTHES),
            pattern=patterns[int(rng.integers(len(patterns)))],
            legs=_pick(rng, TROUSERS),
            shoes=(35, 35, 40) if rng.random() < 0.6 else (200, 205, 210),
            height=float(rng.uniform(1.58, 1.9)),
            build=float(rng.uniform(0.88, 1.2)),
            long_hair=bool(rng.random() < 0.4),
            bag=_pick(rng, CLOTHES) if rng.random() < 0.4 else None,
            coat=bool(rng.random() < 0.3),
            heat=float(rng.uniform(-16, 16)),
        )

    def lookalike(self, rng: np.random.Generator) -> Look:
        """Somebody dressed alike: the same clothes in a slightly different shade, no bag."""
        shade = float(rng.uniform(0.85, 1.15))
        top = (self.top[0] * shade, self.top[1] * shade, self.top[2] * shade)
        return replace(self, top=top, skin=_pick(rng, SKINS), bag=None, height=self.height * 1.02, heat=self.heat + 6)


def _pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    base = colours[int(rng.integers(len(colours)))]
    shift = rng.uniform(-14, 14, 3)
    return (base[0] + shift[0], base[1] + shift[1], base[2] + shift[2])


def pedestrian(rng: np.random.Generator, look: Look | None = None, front: bool = False, phases: int = 14) -> Sprite:
    """A person seen from the side (walking to the right) or, with ``front``, from the front or back."""
    look = look or Look.random(rng)
    height, width = int(UNIT + 2 * MARGIN), int(0.75 * UNIT)
    cloth = fractal(rng, height, width, 14, 3)
    back = bool(rng.random() < 0.5)

    def paint(index: int) -> Pose:
        canvas = Canvas(height, width)
        figure = _Figure(canvas, look, (width / 2, height - MARGIN))
        if front:
            figure.frontal(2 * np.pi * index / phases, back)
        else:
            figure.sideways(2 * np.pi * index / phases)
        canvas.roughen(cloth, 0.16, 0.12)
        return Pose.of(*canvas.finish())

    pivot = (width / 2, height - MARGIN)
    return Sprite("person", paint, phases, pivot, UNIT / look.height, stride=1.35)


class _Figure:
    """Draws one phase; positions are fractions of the body's height above the feet."""

    def __init__(self, canvas: Canvas, look: Look, foot: Point) -> None:
        self.canvas, self.look, self.foot = canvas, look, foot
        self.bob = 0.0
        self.skin = Paint(look.skin, 222, gloss=0.3)
        self.top = Paint(look.top, 178 + look.heat, look.second if look.pattern else None, look.pattern)
        self.legs = Paint(look.legs, 164 + look.heat * 0.7)
        self.shoes = Paint(look.shoes, 132, gloss=0.4)
        self.hair = Paint(look.hair, 176, gloss=0.3)

    def at(self, x: float, y: float) -> Point:
        """Body coordinates to drawing pixels."""
        return (self.foot[0] + x * UNIT, self.foot[1] - (y + self.bob) * UNIT)

    def limb(self, a: Point, b: Point, ra: float, rb: float, paint: Paint) -> None:
        self.canvas.capsule(self.at(*a), self.at(*b), ra * UNIT, rb * UNIT, paint)

    def sideways(self, phase: float) -> None:
        build = self.look.build
        legs = [_leg(phase), _leg(phase + np.pi)]
        # The lower foot stands on the ground.
        self.bob = 0.03 - min(ankle[1] for _, ankle, _ in legs)
        lean, swing = 0.02, 0.55 * np.sin(phase)
        self._arm((lean, 0.80), -swing, 0.78)
        self._leg(*legs[1], 0.74, build)
        if self.look.bag is not None:
            self.limb((-0.085 * build, 0.75), (-0.09 * build, 0.60), 0.06, 0.066, Paint(self.look.bag, 128))
        if self.look.coat:
            self.limb((0.005, 0.52), (0.0, 0.38), 0.080 * build, 0.088 * build, self.top)
        self._leg(*legs[0], 1.0, build)
        self.limb((lean, 0.765), (0.0, 0.535), 0.080 * build, 0.074 * build, self.top)
        self._head(lean + 0.012, side=True)
        self._arm((lean, 0.795), swing, 1.0)

    def frontal(self, phase: float, back: bool) -> None:
        build, lift = self.look.build, 0.035 * np.sin(phase)
        self.bob = 0.006 * np.cos(2 * phase)
        for side in (-1, 1):
            up = max(side * lift, 0)
            hip, knee, foot = (side * 0.045, 0.51), (side * 0.052, 0.28 + up), (side * 0.05, 0.045 + up * 1.6)
            paint = self.legs.darker(1 - 3 * up)
            self.limb(hip, knee, 0.056 * build, 0.044 * build, paint)
            self.limb(knee, foot, 0.043 * build, 0.03 * build, paint)
            self.limb(foot, (foot[0] + side * 0.008, foot[1] - 0.02), 0.03, 0.032, self.shoes)
        for side in (-1, 1):
            sway = side * lift
            shoulder, elbow, hand = (
                (side * 0.105 * build, 0.79),
                (side * 0.135 * build, 0.63),
                (side * 0.135 * build, 0.49 + sway),
            )
            self.limb(shoulder, elbow, 0.034 * build, 0.03 * build, self.top.darker(0.9))
            self.limb(elbow, hand, 0.03 * build, 0.023, self.top.darker(0.9))
            self.limb(hand, (hand[0], hand[1] - 0.03), 0.024, 0.02, self.skin)
        bottom = 0.40 if self.look.coat else 0.53
        for side in (-1, 1):
            self.limb(
                (side * 0.058 * build, 0.775), (side * 0.04 * build, bottom), 0.055 * build, 0.052 * build, self.top
            )
        self.limb((0, 0.775), (0, bottom), 0.075 * build, 0.07 * build, self.top)
        if self.look.bag is not None and back:
            self.limb((0, 0.73), (0, 0.6), 0.08, 0.085, Paint(self.look.bag, 126))
        self._head(0.0, side=False, back=back)

    def _leg(self, knee: Point, ankle: Point, toe: Point, shade: float, build: float) -> None:
        paint = self.legs.darker(shade)
        self.limb((0.0, 0.52), knee, 0.062 * build, 0.046 * build, paint)
        self.limb(knee, ankle, 0.045 * build, 0.028 * build, paint)
        self.limb((ankle[0] - 0.012, ankle[1] - 0.008), toe, 0.027, 0.02, self.shoes.darker(shade))

    def _arm(self, shoulder: Point, angle: float, shade: float) -> None:
        bend = angle + 0.25 + 0.25 * max(angle, 0)
        elbow = (shoulder[0] + 0.165 * np.sin(angle), shoulder[1] - 0.165 * np.cos(angle))
        hand = (elbow[0] + 0.14 * np.sin(bend), elbow[1] - 0.14 * np.cos(bend))
        paint, build = self.top.darker(shade * 0.93), self.look.build
        self.limb(shoulder, elbow, 0.040 * build, 0.032 * build, paint)
        self.limb(elbow, hand, 0.031 * build, 0.023, paint)
        self.limb(hand, (hand[0] + 0.02 * np.sin(bend), hand[1] - 0.025), 0.024, 0.019, self.skin.darker(shade))

    def _head(self, x: float, side: bool, back: bool = False) -> None:
        self.limb((x, 0.84), (x + 0.004, 0.87), 0.034, 0.034, self.skin.darker(0.85))
        ahead = 0.012 if side else 0.0
        if self.look.long_hair:
            self.limb((x - ahead, 0.93), (x - 2 * ahead, 0.835), 0.062, 0.05, self.hair)
        face = self.hair if back else self.skin
        self.limb((x + ahead, 0.945), (x + ahead * 1.3, 0.905), 0.056, 0.046, face)
        self.limb((x - ahead * 1.1, 0.965), (x - ahead * 0.2, 0.958), 0.056, 0.052, self.hair)
        if not back:
            self.limb((x + ahead * 1.9, 0.925), (x + ahead * 1.9, 0.905), 0.037, 0.033, self.skin)


def _leg(phase: float) -> tuple[Point, Point, Point]:
    """Knee, ankle and toe of a walking leg at ``phase`` for a hip at (0, 0.52)."""
    thigh = 0.44 * np.sin(phase) + 0.06
    shin = thigh - 0.10 - 0.85 * max(float(np.cos(phase)), 0.0)
    knee = (0.245 * np.sin(thigh), 0.52 - 0.245 * np.cos(thigh))
    ankle = (knee[0] + 0.235 * np.sin(shin), knee[1] - 0.235 * np.cos(shin))
    pitch = 0.5 * shin
    toe = (ankle[0] + 0.075 * np.cos(pitch), ankle[1] - 0.012 + 0.075 * np.sin(pitch))
    return knee, ankle, toe
