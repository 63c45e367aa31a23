"""From result folders to a report: ``build_report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rgbt_tracker.evaluation.opened import BoxesOnly
from rgbt_tracker.evaluation.reset_measures import INTERVAL
from rgbt_tracker.evaluation.scored import score_results
from rgbt_tracker.report import figures, views
from rgbt_tracker.report.page import Page, write_page
from rgbt_tracker.report.player import BOX_FRAMES, PLAYER_FRAMES, Player, choose_player
from rgbt_tracker.report.tables import Table, write_tables

Images = Literal["auto", "inside", "beside", "none"]


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
        rig: file of the rig that all sequences were recorded with; None for the one beside each.
    """

    title: str = "Tracking report"
    images: Images = "auto"
    side: int = 560
    player: tuple[str, ...] = ()
    protocol: str | None = None
    pixels: float | None = None
    interval: tuple[int, int] = INTERVAL
    experiment: str = "baseline"
    rig: str | None = None


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
        sequences: folder with the sequences, or with their ground truth alone (then no images).
        output: folder; made if missing.

    Raises:
        UserError: results, sequences or ground truth that are missing or do not fit together.
    """
    options = options or Options()
    scored = score_results(
        results,
        sequences,
        protocol=options.protocol,
        pixels=options.pixels,
        interval=options.interval,
        experiment=options.experiment,
        rig=options.rig,
    )
    pictures = options.images != "none" and not all(isinstance(item, BoxesOnly) for item in scored.sequences.values())
    chosen = choose_player(
        scored.sequences, scored.diagnoses, options.player, PLAYER_FRAMES if pictures else BOX_FRAMES
    )
    tables, plots, headlines = views.contents(scored, len(chosen))
    page = Page(options.title, list(scored.numbers), headlines, tables, plots)
    played = {name: scored.sequences[name] for name in chosen}
    player = Player(played, scored.tracks, scored.diagnoses, scored.numbers, options.images, options.side)
    write_tables(tables, output / "tables")
    figures.write_plots(plots, output / "figures")
    images = write_page(page, player, output)
    return Report(output / "index.html", (output / "index.html").stat().st_size, images, tables)
