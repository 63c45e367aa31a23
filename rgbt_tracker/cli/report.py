"""``rgbt report``: one page that compares trackers and plays their sequences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nestfuse_core.common.extras import require
from nestfuse_core.common.options import one_of, output_folder
from rgbt_tracker.cli.options import IntervalHigh, IntervalLow

PLACES = ("auto", "inside", "beside", "none")


def report(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULTS",
            help="Result folders: DIR/<tracker>/<sequence>.txt, one tracker's folder, or results of the VOT toolkit.",
        ),
    ],
    sequences: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the sequences, or of <sequence>.txt ground truth alone.")
    ],
    output: Annotated[Path, output_folder("Folder for index.html, figures/ and tables/.")],
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Tracking report",
    player: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Sequence to put into the player; repeatable. Default: the hardest ones."),
    ] = None,
    images: Annotated[
        str,
        typer.Option(
            metavar="|".join(PLACES),
            help="Frames inside the page, in files beside it, or none; auto keeps the page < 60 MB.",
            callback=one_of("place of images", PLACES),
        ),
    ] = "auto",
    size: Annotated[int, typer.Option(min=64, max=4096, help="Longer side of the player's images, pixels.")] = 560,
    precision: Annotated[float, typer.Option(min=0, help="Radius of the precision score, pixels (GTOT: 5).")] = 20.0,
    low: IntervalLow = 109,
    high: IntervalHigh = 322,
    experiment: Annotated[str, typer.Option(help="Experiment of the VOT toolkit to read.")] = "baseline",
) -> None:
    """Write a page that compares trackers and plays their sequences; it opens without a network."""
    require("report", "pandas", "matplotlib", "jinja2")
    from nestfuse_core.common import console
    from rgbt_tracker.evaluation.reset_measures import check_interval
    from rgbt_tracker.report.build import Options, build_report

    check_interval(low, high)
    options = Options(title, images, size, tuple(player or ()), precision, (low, high), experiment)
    written = build_report(results, sequences, output, options)
    where = {"inside": "images inside", "beside": "images in frames/ beside it", "none": "no images"}[written.images]
    console.stdout.print(f"{written.page} ({written.size / 1e6:.1f} MB, {where})", highlight=False)
