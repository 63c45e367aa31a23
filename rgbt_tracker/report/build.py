"""From result folders to a report: ``build_report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError, suggestion
from rgbt_tracker.evaluation.reset_measures import INTERVAL
from rgbt_tracker.report import figures, views
from rgbt_tracker.report.page import Page, Player, write_page
from rgbt_tracker.report.reset import Reset, score_reset
from rgbt_tracker.report.scoring import OnePass, annotated_boxes, check_lengths, quality, score_one_pass
from rgbt_tracker.report.sources import BoxesOnly, open_sequences
from rgbt_tracker.report.tables import Table, write_tables
from rgbt_tracker.results.find import TrackerResults, Trajectory, find_results, read_one_pass, read_reset
from rgbt_tracker.sequences.base import FrameSequence

Images = Literal["auto", "inside", "beside", "none"]
PLAYER_FRAMES = 5000  # with images, about 450 MB
BOX_FRAMES = 60_000  # without
Tracks = dict[str, dict[str, Trajectory]]


@dataclass(frozen=True)
class Options:
    """What a report holds.

    Attributes:
        title: heading of the page.
        images: "inside" the page, in files "beside" it, "none", or "auto": inside while the page stays below 60 MB.
        side: longer side of the player's images in pixels.
        player: sequences to put into the player; empty for the hardest ones, 5000 frames at most.
        pixels: radius of the precision score.
        interval: sequence lengths over which VOT's EAO averages.
        experiment: the VOT experiment to read.
    """

    title: str = "Tracking report"
    images: Images = "auto"
    side: int = 560
    player: tuple[str, ...] = ()
    pixels: float = 20.0
    interval: tuple[int, int] = INTERVAL
    experiment: str = "baseline"


@dataclass(frozen=True)
class Report:
    """What was written: the page, its size in bytes, where the images are, and the tables behind it."""

    page: Path
    size: int
    images: str
    tables: list[Table] = field(default_factory=list)


def build_report(results: Sequence[Path], sequences: Path, output: Path, options: Options | None = None) -> Report:
    """Write ``index.html``, ``figures/`` and ``tables/`` into ``output``.

    Args:
        results: folders of results (`rgbt_tracker.results.find.find_results`).
        sequences: folder with the sequences, or with ``<sequence>.txt`` ground truth alone (then no images).
        output: folder; made if missing.

    Raises:
        UserError: results, sequences or ground truth that are missing or do not fit together.
    """
    options = options or Options()
    trackers = find_results(results, options.experiment)
    numbers = {tracker.name: number for number, tracker in enumerate(trackers)}
    opened = open_sequences(sequences, sorted({name for tracker in trackers for name in tracker.files}))
    tracks = read_tracks(trackers)
    check_lengths(tracks, {name: sequence.info for name, sequence in opened.items()})
    one_pass, reset = _score(trackers, tracks, opened, sequences, options)
    tables, plots, headlines = [], [], []
    if reset:
        tables += views.reset_tables(reset, options.interval)
        plots += views.reset_plots(reset, numbers)
        headlines.append(views.headline(reset.summary, reset.differences, "eao", "EAO"))
    if one_pass:
        tables += views.one_pass_tables(one_pass, options.pixels)
        plots += views.one_pass_plots(one_pass, numbers, options.pixels)
        headlines.append(views.headline(one_pass.summary, one_pass.differences, "success", "success"))
    overlaps = _overlaps(tracks, opened, reset)
    pictures = options.images != "none" and not all(isinstance(item, BoxesOnly) for item in opened.values())
    limit = PLAYER_FRAMES if pictures else BOX_FRAMES
    chosen = choose_player(opened, overlaps, options.player, limit)
    headlines.append(_extent(trackers, opened, chosen))
    page = Page(options.title, [tracker.name for tracker in trackers], headlines, tables, plots)
    player = Player({name: opened[name] for name in chosen}, tracks, overlaps, numbers, options.images, options.side)
    write_tables(tables, output / "tables")
    figures.write_plots(plots, output / "figures")
    images = write_page(page, player, output)
    return Report(output / "index.html", (output / "index.html").stat().st_size, images, tables)


def read_tracks(trackers: Sequence[TrackerResults]) -> Tracks:
    """Read the first repetition of every tracker on every sequence."""
    read = {"one-pass": read_one_pass, "reset": read_reset}
    return {t.name: {name: read[t.kind](files[0]) for name, files in t.files.items()} for t in trackers}


def _score(
    trackers: Sequence[TrackerResults], tracks: Tracks, opened: dict[str, FrameSequence], folder: Path, options: Options
) -> tuple[OnePass | None, Reset | None]:
    infos = {name: sequence.info for name, sequence in opened.items()}
    once = {t.name: tracks[t.name] for t in trackers if t.kind == "one-pass"}
    again = [tracker for tracker in trackers if tracker.kind == "reset"]
    return (
        score_one_pass(once, infos, options.pixels) if once else None,
        score_reset(again, folder, options.interval) if again else None,
    )


def _overlaps(
    tracks: Tracks, opened: dict[str, FrameSequence], reset: Reset | None
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Return tracker -> sequence -> overlaps: VOT's own for its results, else those of one pass."""
    values = {
        tracker: {name: quality(track, annotated_boxes(opened[name].info)) for name, track in runs.items()}
        for tracker, runs in tracks.items()
    }
    for tracker, each in (reset.runs if reset else {}).items():
        values[tracker].update({sequence.name: sequence.runs[0].overlaps for sequence in each})
    return values


def choose_player(
    opened: dict[str, FrameSequence],
    overlaps: dict[str, dict[str, NDArray[np.float64]]],
    wanted: Sequence[str],
    limit: int = PLAYER_FRAMES,
) -> list[str]:
    """Return the sequences of the player: those wanted, else the hardest first, ``limit`` frames at most.

    Raises:
        UserError: a wanted sequence that no result belongs to.
    """
    for name in wanted:
        if name not in opened:
            raise UserError(f"No results for the sequence '{name}' of the player{suggestion(name, opened)}")
    if wanted:
        return list(dict.fromkeys(wanted))
    means = {
        name: float(np.nanmean([_mean(runs[name]) for runs in overlaps.values() if name in runs])) for name in opened
    }
    chosen: list[str] = []
    frames = 0
    for name in sorted(opened, key=lambda name: (pd.isna(means[name]), means[name])):
        if not chosen or frames + len(opened[name]) <= limit:
            chosen.append(name)
            frames += len(opened[name])
    return chosen


def _mean(values: NDArray[np.float64]) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else 0.0


def _extent(trackers: Sequence[TrackerResults], opened: dict[str, FrameSequence], chosen: Sequence[str]) -> str:
    def count(number: int, noun: str) -> str:
        return f"{number:,} {noun}{'' if number == 1 else 's'}"

    frames = sum(len(sequence) for sequence in opened.values())
    words = f"{count(len(trackers), 'tracker')}, {count(len(opened), 'sequence')}, {count(frames, 'frame')}."
    if len(chosen) < len(opened):
        words += f" The player holds {len(chosen)} of them, the hardest first; --player NAME adds others."
    return words
