"""Plots of a report: matplotlib figures, written as SVG and PNG files and set into the page.

In the page a plot takes its colours for text and grid from the style sheet, so it follows light and dark.
"""

from __future__ import annotations

import io
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nestfuse_core.common.files import replacing, write_text

# At least 3:1 against white and against the page's dark background, and told apart by colour-blind readers
# together with the dashes.
PALETTE = ("#0f7bc0", "#c96a00", "#12906a", "#c2508f", "#7f62cc", "#6f7f10", "#c94a3d", "#1990a0")
DASHES = ("solid", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 2, 2)))
INK, GRID = "#010102", "#010103"  # stand-ins, replaced when the figure is written
PAPER = {INK: "#1b1f24", GRID: "#d9dde3"}
SCREEN = {INK: "var(--ink)", GRID: "var(--line)"}
STYLE: Any = {
    "svg.fonttype": "none", "font.size": 10, "font.family": "DejaVu Sans", "axes.titlesize": 11, "axes.edgecolor": GRID,
    "axes.labelcolor": INK, "axes.titlecolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.7, "axes.axisbelow": True, "axes.spines.top": False,
    "axes.spines.right": False, "legend.frameon": False, "legend.fontsize": 8.5,
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One tracker's curve: x and y (n,) values, its number in the report and the text of its legend entry."""

    tracker: int
    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def color(tracker: int) -> str:
    """Return the colour of tracker number ``tracker``; the same on every plot, table and box."""
    return PALETTE[tracker % len(PALETTE)]


def dash(tracker: int) -> str | tuple:
    """Return the line style of tracker number ``tracker``."""
    return DASHES[tracker % len(DASHES)]


@dataclass(frozen=True)
class Plot(ABC):
    """What a figure shows; it is drawn when it is first written.

    Attributes:
        name: file name without suffix, and the prefix of its identifiers on the page.
        title: above it.
        labels: text of the x and of the y axis.
    """

    name: str
    title: str
    labels: tuple[str, str]

    @property
    @abstractmethod
    def description(self) -> str:
        """The words that stand in for it where it cannot be seen."""

    @abstractmethod
    def draw(self) -> Figure:
        """Draw it in the style that is set."""

    @cached_property
    def figure(self) -> Figure:
        with matplotlib.rc_context(STYLE):
            return self.draw()

    def axes(self) -> tuple[Figure, Axes]:
        """Return a figure with empty axes of the usual size."""
        figure = Figure(figsize=(5.2, 3.9), layout="constrained")
        axes = figure.subplots()
        axes.set(title=self.title, xlabel=self.labels[0], ylabel=self.labels[1])
        return figure, axes


@dataclass(frozen=True)
class Curves(Plot):
    """One curve for each tracker.

    Attributes:
        lines: the curves.
        band: an interval of x to shade, for example the one EAO averages over.
        top: upper end of the y axis; None for the data's own.
    """

    lines: Sequence[Line]
    band: tuple[float, float] | None = None
    top: float | None = None

    @property
    def description(self) -> str:
        words = "; ".join(line.label for line in self.lines)
        return f"{self.labels[1]} against {self.labels[0]}. {words}."

    def draw(self) -> Figure:
        figure, axes = self.axes()
        if self.band:
            low, high = self.band
            axes.axvspan(low, high, color=GRID, alpha=0.45, lw=0, label=f"{low:g}–{high:g} frames")
        for line in self.lines:
            (drawn,) = axes.plot(
                line.x, line.y, color=color(line.tracker), ls=dash(line.tracker), lw=1.9, label=line.label
            )
            drawn.set_gid(f"tracker-{line.tracker}")
        axes.set_xlim(float(min(line.x[0] for line in self.lines)), float(max(line.x[-1] for line in self.lines)))
        axes.set_ylim(0, self.top)
        axes.legend(loc="best")
        return figure


@dataclass(frozen=True)
class Points(Plot):
    """One point for each tracker, both axes from 0 to 1.

    Attributes:
        marks: number of the tracker, label, x, y.
    """

    marks: Sequence[tuple[int, str, float, float]]

    @property
    def description(self) -> str:
        words = "; ".join(f"{label}: {x:.3f}, {y:.3f}" for _, label, x, y in self.marks)
        return f"{self.labels[0]}, {self.labels[1]}: {words}."

    def draw(self) -> Figure:
        figure, axes = self.axes()
        for number, label, x, y in self.marks:
            (drawn,) = axes.plot([x], [y], "osD^vP"[number % 6], ms=9, color=color(number), label=label)
            drawn.set_gid(f"tracker-{number}")
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
        axes.legend(loc="best")
        return figure


@dataclass(frozen=True)
class Intervals(Plot):
    """Differences with their intervals around 0; the y axis has no text of its own.

    Attributes:
        rows: text, number of the tracker, difference, low, high; from the top.
    """

    rows: Sequence[tuple[str, int, float, float, float]]

    @property
    def description(self) -> str:
        rows = "; ".join(f"{text}: {value:+.3f} ({low:+.3f} to {high:+.3f})" for text, _, value, low, high in self.rows)
        return f"{self.labels[0]}: {rows}."

    def draw(self) -> Figure:
        figure = Figure(figsize=(5.2, 1.1 + 0.34 * len(self.rows)), layout="constrained")
        axes = figure.subplots()
        names = [row[0] for row in self.rows]
        axes.set(title=self.title, xlabel=self.labels[0], yticks=range(len(names)), yticklabels=names)
        axes.axvline(0, color=INK, lw=1)
        for line, (_, number, middle, low, high) in enumerate(self.rows):
            axes.plot([low, high], [line, line], color=color(number), lw=2.4, solid_capstyle="butt")
            axes.plot([middle], [line], "o", color=color(number), ms=6)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        return figure


def _svg(figure: Figure, name: str) -> str:
    """Return the figure as SVG text whose identifiers are unique to ``name``."""
    buffer = io.StringIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="tracker-(\d+)">', r'<g data-tracker="\1">', text)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text)


def _painted(svg: str, colors: dict[str, str]) -> str:
    for stand_in, paint in colors.items():
        svg = svg.replace(stand_in, paint)
    return svg


def page_svg(plot: Plot) -> str:
    """Return SVG markup for the page: sized by its container, coloured by its style sheet, with its description."""
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", _svg(plot.figure, plot.name), count=1)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    words = plot.description.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return _painted(text, SCREEN).replace("<svg", f'<svg role="img" aria-label="{words}"', 1)


def write_plots(plots: Sequence[Plot], folder: Path) -> None:
    """Write each plot as ``<name>.svg`` and ``<name>.png`` (200 dpi) into ``folder``."""
    for plot in plots:
        text = _painted(_svg(plot.figure, plot.name), PAPER)
        write_text(folder / f"{plot.name}.svg", '<?xml version="1.0" encoding="utf-8"?>\n' + text)
        with replacing(folder / f"{plot.name}.png") as temporary:
            plot.figure.savefig(temporary, dpi=200, facecolor="white")
