"""From result folders to a report: ``build_report``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError, suggestion
from rgbt_tracker.evaluation import reset_comparison
from rgbt_tracker.evaluation.comparison import OnePass, compare
from rgbt_tracker.evaluation.diagnosis import Diagnosis, diagnose
from rgbt_tracker.evaluation.groundtruth import Benchmark, Files, find_sequences, load_benchmark, load_regions
from rgbt_tracker.evaluation.reset_comparison import Reset
from rgbt_tracker.evaluation.reset_measures import INTERVAL
from rgbt_tracker.report import figures, views
from rgbt_tracker.report.figures import Plot
from rgbt_tracker.report.page import Page, Player, write_page
from rgbt_tracker.report.sources import BoxesOnly, annotated_boxes, open_sequences
from rgbt_tracker.report.tables import Table, write_tables
from rgbt_tracker.results.find import TrackerResults, find_results
from rgbt_tracker.results.read import read_results
from rgbt_tracker.results.settings import benchmark_of
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.sequences.base import FrameSequence

Images = Literal["auto", "inside", "beside", "none"]
PLAYER_FRAMES = 5000  # with images, about 450 MB
BOX_FRAMES = 60_000  # without


@dataclass(frozen=True)
class Options:
    """What a report holds.

    Attributes:
        title: heading of the page.
        images: "inside" the page, in files "beside" it, "none", or "auto": inside while the page stays below 60 MB.
        side: longer side of the player's images in pixels.
        player: sequences to put into the player; empty for the hardest ones, 5000 frames at most.
        protocol: the benchmark by whose rules one pass is scored where its own settings name none.
        pixels: radius of the precision score; None for the protocol's.
        interval: sequence lengths over which VOT's EAO averages.
        experiment: the VOT experiment to read.
    """

    title: str = "Tracking report"
    images: Images = "auto"
    side: int = 560
    player: tuple[str, ...] = ()
    protocol: str | None = None
    pixels: float | None = None
    interval: tuple[int, int] = INTERVAL
    experiment: str = "baseline"


@dataclass(frozen=True)
class Report:
    """What was written: the page, its size in bytes, where the images are, and the tables behind it."""

    page: Path
    size: int
    images: str
    tables: list[Table] = field(default_factory=list)


@dataclass(frozen=True)
class Scored:
    """What a report shows.

    Attributes:
        opened: sequence -> its frames.
        tracks: tracker -> sequence -> trajectory, the first repetition.
        diagnoses: tracker -> sequence -> what happened in each frame.
        one_pass: scores of the trackers that ran once; None where there are none.
        protocol: by which rules, in a sentence.
        reset: scores of those that were started again after failures; None where there are none.
    """

    opened: dict[str, FrameSequence]
    tracks: dict[str, dict[str, Trajectory]]
    diagnoses: dict[str, dict[str, Diagnosis]]
    one_pass: OnePass | None
    protocol: str
    reset: Reset | None


def build_report(results: Sequence[Path], sequences: Path, output: Path, options: Options | None = None) -> Report:
    """Write ``index.html``, ``figures/`` and ``tables/`` into ``output``.

    Args:
        results: folders of results (`rgbt_tracker.results.find.find_results`).
        sequences: folder with the sequences, or with their ground truth alone (then no images).
        output: folder; made if missing.

    Raises:
        UserError: results, sequences or ground truth that are missing or do not fit together.
    """
    options = options or Options()
    found = find_sequences(sequences)
    trackers = find_results(results, found, options.experiment)
    scored = _score(trackers, sequences, found, options)
    tables, plots, headlines = _show(scored, trackers, options)
    pictures = options.images != "none" and not all(isinstance(item, BoxesOnly) for item in scored.opened.values())
    chosen = choose_player(scored.opened, scored.diagnoses, options.player, PLAYER_FRAMES if pictures else BOX_FRAMES)
    headlines.append(_extent(trackers, scored.opened, chosen))
    page = Page(options.title, [tracker.name for tracker in trackers], headlines, tables, plots)
    played = {name: scored.opened[name] for name in chosen}
    numbers = _numbers(trackers)
    player = Player(played, scored.tracks, scored.diagnoses, numbers, options.images, options.side)
    write_tables(tables, output / "tables")
    figures.write_plots(plots, output / "figures")
    images = write_page(page, player, output)
    return Report(output / "index.html", (output / "index.html").stat().st_size, images, tables)


def _numbers(trackers: Sequence[TrackerResults]) -> dict[str, int]:
    """Tracker -> its number on the page, which decides its colour."""
    return {tracker.name: number for number, tracker in enumerate(trackers)}


def _score(trackers: Sequence[TrackerResults], root: Path, found: Mapping[str, Files], options: Options) -> Scored:
    once = [tracker for tracker in trackers if tracker.kind == "one-pass"]
    again = [tracker for tracker in trackers if tracker.kind == "reset"]
    benchmark, protocol = _benchmark(once, root, options) if once else (None, "")
    runs = {tracker.name: read_results(tracker, benchmark.sequences if benchmark else ()) for tracker in once}
    runs |= {tracker.name: read_results(tracker) for tracker in again}
    tracks = {tracker: {name: repetitions[0] for name, repetitions in each.items()} for tracker, each in runs.items()}
    lengths: dict[str, int] = {}
    for name, track in (item for each in tracks.values() for item in each.items()):
        lengths[name] = max(lengths.get(name, 0), len(track))
    opened = open_sequences(root, {name: found[name] for name in sorted(lengths)}, lengths)
    reset = None
    if again:
        names = sorted({name for tracker in again for name in tracker.files})
        repeated = {tracker.name: runs[tracker.name] for tracker in again}
        reset = reset_comparison.compare(load_regions(root, names), repeated, options.interval)
    diagnoses = _diagnose(tracks, opened, reset)
    one_pass = (
        compare(benchmark, {tracker.name: tracks[tracker.name] for tracker in once}, diagnoses) if benchmark else None
    )
    return Scored(opened, tracks, diagnoses, one_pass, protocol, reset)


def _show(
    scored: Scored, trackers: Sequence[TrackerResults], options: Options
) -> tuple[list[Table], list[Plot], list[str]]:
    """Return tables, plots and sentences."""
    tables, plots, headlines, numbers = [], [], [], _numbers(trackers)
    if reset := scored.reset:
        tables += views.reset_tables(reset, options.interval)
        plots += views.reset_plots(reset, numbers)
        headlines.append(views.headline(reset.summary, reset.differences, "eao", "EAO"))
    if one_pass := scored.one_pass:
        tables += views.one_pass_tables(one_pass)
        plots += views.one_pass_plots(one_pass, numbers)
        headlines.append(views.headline(one_pass.summary, one_pass.differences, "success", one_pass.rules.labels[1]))
        headlines.append(scored.protocol)
    return tables, plots, headlines


def _benchmark(trackers: Sequence[TrackerResults], sequences: Path, options: Options) -> tuple[Benchmark, str]:
    """Return by what one pass is scored, and a sentence that says so.

    The settings beside the results decide, then ``options.protocol``, then it is the plain protocol.
    """
    made_for = {tracker.name: key for tracker in trackers if (key := benchmark_of(tracker.folder))}
    if len(set(made_for.values())) > 1:
        listed = ", ".join(f"{name}: {key}" for name, key in made_for.items())
        raise UserError(f"The results were made for different benchmarks ({listed}); make a report of each.")
    key = next(iter(made_for.values()), options.protocol or "plain")
    names = {name for tracker in trackers for name in tracker.files}
    benchmark = load_benchmark(key, sequences, names)
    if options.pixels is not None:
        benchmark = replace(benchmark, rules=benchmark.rules.within(options.pixels))
    reason = "for which the results were made" if made_for else "as --protocol asks"
    if made_for and options.protocol not in (None, key):
        reason += f", not by --protocol {options.protocol}"
    if benchmark.key == "plain":
        rules = "the plain protocol: frames in which the target is absent are left out"
    else:
        rules = f"the rules of {benchmark.rules.title} (--protocol {benchmark.key}), {reason}"
    return benchmark, f"One pass is scored by {rules}."


def _diagnose(
    tracks: Mapping[str, Mapping[str, Trajectory]], opened: Mapping[str, FrameSequence], reset: Reset | None
) -> dict[str, dict[str, Diagnosis]]:
    """Return tracker -> sequence -> what happened; overlaps are VOT's own for its results, else those of one pass."""
    known = {
        (tracker, sequence.name): sequence.runs[0].overlaps
        for tracker, each in (reset.runs if reset else {}).items()
        for sequence in each
    }
    truths = {name: annotated_boxes(sequence.info) for name, sequence in opened.items()}
    return {
        tracker: {name: diagnose(track, truths[name], known.get((tracker, name))) for name, track in each.items()}
        for tracker, each in tracks.items()
    }


def choose_player(
    opened: dict[str, FrameSequence],
    diagnoses: Mapping[str, Mapping[str, Diagnosis]],
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
        name: float(np.nanmean([_mean(runs[name].overlaps) for runs in diagnoses.values() if name in runs]))
        for name in opened
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
    if others := sum(tracker.others for tracker in trackers):
        words += f" {count(others, 'result file')} of other sequences {'is' if others == 1 else 'are'} passed over."
    if len(chosen) < len(opened):
        words += f" The player holds {len(chosen)} of them, the hardest first; --player NAME adds others."
    return words
