"""The page itself: templates, styles, scripts and the frames of the player, written as one file.

The page is written piece by piece, so that the frames of a long report never lie in memory together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from nestfuse_core.common import console
from nestfuse_core.common.files import replacing, write_text
from rgbt_tracker.evaluation.opened import extent
from rgbt_tracker.report import figures
from rgbt_tracker.report.figures import Plot
from rgbt_tracker.report.frames import BLOCK, FrameEncoder
from rgbt_tracker.report.payloads import Picture, sequence_payload, to_json
from rgbt_tracker.report.player import Player
from rgbt_tracker.report.tables import Table, cells
from rgbt_tracker.sequences.base import FrameSequence

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("page.js", "loading.js", "strip.js", "stage.js", "player.js")
SECTIONS = {
    "summary": "Summary",
    "player": "Player",
    "plots": "Plots",
    "differences": "Differences",
    "attributes": "Attributes",
    "sequences": "Sequences",
}
INSIDE_LIMIT = 55_000_000
FAILURE_WORDS = (
    "the first frame without any overlap with the ground truth; with resets (VOT), the frame after which the "
    "tracker is started again"
)


@dataclass(frozen=True)
class Page:
    """Everything above the player: the trackers in order, sentences, tables and plots."""

    title: str
    trackers: list[str]
    headlines: list[str]
    tables: list[Table]
    plots: list[Plot]


def write_page(page: Page, player: Player, output: Path) -> str:
    """Write ``index.html``, and ``frames/`` when the images go beside it; return where the images are."""
    encoders = player.encoders()
    place = player.images
    if place == "auto":
        place = "inside" if sum(encoder.expected_bytes for encoder in encoders.values()) <= INSIDE_LIMIT else "beside"
    if not encoders:
        place = "none"
    frames = sum(len(encoder.sequence) for encoder in encoders.values())
    with console.progress() as progress:
        task = progress.add_task("Encoding frames", total=frames, note="", visible=frames > 0)
        advance = partial(progress.advance, task)
        files = _write_frames(player, encoders, output, advance) if place == "beside" else {}
        payloads = _payloads(player, encoders, advance, with_frames=place == "inside")
        with replacing(output / "index.html") as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
            for piece in _render(page, player, files, payloads):
                file.write(piece)
    return place


def _render(page: Page, player: Player, files: dict[str, str], payloads: Iterator) -> Iterator[str]:
    environment = Environment(loader=PackageLoader("rgbt_tracker.report"), autoescape=True)
    numbers = player.numbers
    trackers = [
        {"name": name, "color": figures.color(numbers[name]), "dash": _screen_dash(numbers[name])}
        for name in page.trackers
    ]
    sections = [table.section for table in page.tables] + ["plots"] + ["player"] * bool(player.sequences)
    data = {
        "trackers": trackers,
        "sequences": [{"name": name} for name in player.sequences],
        "block": BLOCK,
        "files": files,
    }
    return environment.get_template("report.html").generate(
        title=page.title,
        trackers=trackers,
        sections=[{"id": name, "title": title} for name, title in SECTIONS.items() if name in sections],
        headline=page.headlines,
        tables=page.tables,
        render_table=lambda table: Markup(_render_table(environment, table, page.trackers, set(player.sequences))),
        plots=[{"svg": Markup(figures.page_svg(plot))} for plot in page.plots],
        player=bool(player.sequences),
        failure_words=FAILURE_WORDS,
        footer="Figures (SVG, PNG) are in figures/, tables (CSV, Markdown, LaTeX) in tables/, beside this page. "
        "Frames are counted from 0.",
        css=Markup((STATIC / "report.css").read_text(encoding="utf-8")),
        js=Markup("\n".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS)),
        data=Markup(to_json(data)),
        payloads=payloads,
    )


def _render_table(environment: Environment, table: Table, trackers: list[str], playable: set[str]) -> str:
    key = "tracker" if "tracker" in table.keys else None
    rows = []
    for line, row in enumerate(cells(table)):
        number = trackers.index(table.data.iloc[line][key]) if key else None
        rows.append({"cells": row, "tracker": number, "color": None if number is None else figures.color(number)})
    return environment.get_template("table.html").render(table=table, rows=rows, playable=playable)


def _screen_dash(number: int) -> list[float]:
    """Return a tracker's line style in the form of canvas and SVG."""
    style = figures.dash(number)
    return [] if isinstance(style, str) else [1.5 * part for part in style[1]]


def _payloads(
    player: Player, encoders: dict[str, FrameEncoder], advance: Callable[[], None], with_frames: bool
) -> Iterator[tuple[str, Markup]]:
    """Yield the identifier and the JSON text of everything the player loads from inside the page."""
    for number, (name, sequence) in enumerate(player.sequences.items()):
        runs = {player.numbers[t]: each[name] for t, each in player.tracks.items() if name in each}
        diagnoses = {player.numbers[t]: each[name] for t, each in player.diagnoses.items() if name in each}
        text = sequence_payload(sequence.info, _picture(sequence, encoders.get(name)), runs, diagnoses)
        yield f"sequence-{number}", Markup(text)
        if with_frames and name in encoders:
            for block, text in enumerate(encoders[name].texts(advance)):
                yield f"frames-{number}-{block}", Markup(text)


def _picture(sequence: FrameSequence, encoder: FrameEncoder | None) -> Picture:
    if encoder:
        return Picture(encoder.width, encoder.height, encoder.modalities, encoder.blocks)
    return Picture(*(sequence.size or extent(np.asarray(sequence.groundtruth))), [])


def _write_frames(
    player: Player, encoders: dict[str, FrameEncoder], output: Path, advance: Callable[[], None]
) -> dict[str, str]:
    """Write each block as a script beside the page; return identifier -> path relative to the page."""
    files: dict[str, str] = {}
    for number, name in enumerate(player.sequences):
        if name not in encoders:
            continue
        folder = f"frames/{number:03d}-{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}"
        for block, text in enumerate(encoders[name].texts(advance)):
            identifier = f"frames-{number}-{block}"
            files[identifier] = f"{folder}/{block:04d}.js"
            write_text(output / files[identifier], f'rgbtDeliver("{identifier}",{text});\n')
    return files
