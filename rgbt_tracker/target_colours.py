"""The colours of several targets, the same in videos and on pages."""

from __future__ import annotations

COLOURS = (
    (255, 176, 0), (86, 180, 233), (0, 158, 115), (204, 121, 167), (240, 228, 66), (213, 94, 0), (255, 255, 255),
    (0, 114, 178),
)  # fmt: skip
"""RGB, by turns; apart for the colour-blind, too (Okabe and Ito, 2008)."""


def colour_of(number: int) -> tuple[int, int, int]:
    """The colour of a target, BGR; numbers begin at 1."""
    red, green, blue = COLOURS[(number - 1) % len(COLOURS)]
    return blue, green, red


def css_of(number: int) -> str:
    """The same as a page writes it: "#ffb000"."""
    return "#{2:02x}{1:02x}{0:02x}".format(*colour_of(number))
