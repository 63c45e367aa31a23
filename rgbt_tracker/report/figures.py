"""Plots of a report: matplotlib figures, written as SVG and PNG files and set into the page.

In the page a plot takes its colours for text and grid from the style sheet, so it follows light and dark.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Plot:
    """A figure with the words that stand in for it where it cannot be seen."""

    name: str
    title: str
    description: str
    figure: Figure


def color(tracker: int) -> str:
    """Return the colour of tracker number ``tracker``; the same on every plot, table and box."""
    return PALETTE[tracker % len(PALETTE)]


def dash(tracker: int) -> str | tuple:
    """Return the line style of tracker number ``tracker``."""
    return DASHES[tracker % len(DASHES)]


def _axes(title: str, x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.2, 3.9), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    return figure, axes


def curves(
    name: str,
    title: str,
    labels: tuple[str, str],
    lines: Sequence[Line],
    band: tuple[float, float] | None = None,
    top: float | None = None,
) -> Plot:
    """Draw one curve per tracker.

    Args:
        labels: text of the x and of the y axis.
        band: an interval of x to shade, for example the one EAO averages over.
        top: upper end of the y axis; None for the data's own.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = _axes(title, *labels)
        if band:
            axes.axvspan(*band, color=GRID, alpha=0.45, lw=0, label=f"{band[0]:g}–{band[1]:g} frames")
        for line in lines:
            (drawn,) = axes.plot(
                line.x, line.y, color=color(line.tracker), ls=dash(line.tracker), lw=1.9, label=line.label
            )
            drawn.set_gid(f"tracker-{line.tracker}")
        axes.set_xlim(float(min(line.x[0] for line in lines)), float(max(line.x[-1] for line in lines)))
        axes.set_ylim(0, top)
        axes.legend(loc="best")
    words = "; ".join(line.label for line in lines)
    return Plot(name, title, f"{labels[1]} against {labels[0]}. {words}.", figure)


def points(
    name: str, title: str, labels: tuple[str, str], marks: Sequence[tuple[int, str, float, float]], unit: bool = True
) -> Plot:
    """Draw one point per tracker: (number, label, x, y); ``unit`` keeps both axes at 0..1."""
    with matplotlib.rc_context(STYLE):
        figure, axes = _axes(title, *labels)
        for number, label, x, y in marks:
            (drawn,) = axes.plot([x], [y], "osD^vP"[number % 6], ms=9, color=color(number), label=label)
            drawn.set_gid(f"tracker-{number}")
        if unit:
            axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
        axes.legend(loc="best")
    words = "; ".join(f"{label}: {x:.3f}, {y:.3f}" for _, label, x, y in marks)
    return Plot(name, title, f"{labels[0]}, {labels[1]}: {words}.", figure)


def intervals(name: str, title: str, label: str, rows: Sequence[tuple[str, int, float, float, float]]) -> Plot:
    """Draw differences with their intervals around 0: (text, tracker number, difference, low, high) from the top."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.2, 1.1 + 0.34 * len(rows)), layout="constrained")
        axes = figure.subplots()
        axes.set(title=title, xlabel=label, yticks=range(len(rows)), yticklabels=[row[0] for row in rows])
        axes.axvline(0, color=INK, lw=1)
        for line, (_, number, middle, low, high) in enumerate(rows):
            axes.plot([low, high], [line, line], color=color(number), lw=2.4, solid_capstyle="butt")
            axes.plot([middle], [line], "o", color=color(number), ms=6)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
    words = "; ".join(f"{text}: {middle:+.3f} ({low:+.3f} to {high:+.3f})" for text, _, middle, low, high in rows)
    return Plot(name, title, f"{label}: {words}.", figure)


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
