"""``rgbt report``: one page that compares trackers and plays their sequences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from nestfuse_core.common.extras import require
from nestfuse_core.common.options import RigFile, one_of, output_folder
from rgbt_tracker.cli.options import IntervalHigh, IntervalLow

PLACES = ("auto", "inside", "beside", "none")


def report(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULTS",
            help="Results: DIR/<tracker>/<sequence>.txt, one tracker's folder, VOT results; or archives of these.",
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
    protocol: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Score one pass as this benchmark does: gtot, rgbt210, rgbt234, lasher, vtuav or plain "
            "[default: what the results were made for, else plain].",
        ),
    ] = None,
    precision: Annotated[
        float | None, typer.Option(min=0, help="Radius of the precision score, pixels [default: the protocol's].")
    ] = None,
    low: IntervalLow = 109,
    high: IntervalHigh = 322,
    rig: RigFile = None,
    experiment: Annotated[str, typer.Option(help="Experiment of the VOT toolkit to read.")] = "baseline",
) -> None:
    """Write a page that compares trackers and plays their sequences; it opens without a network."""
    require("report", "pandas", "matplotlib", "jinja2")
    from nestfuse_core.common import console
    from rgbt_tracker.evaluation.reset_measures import check_interval
    from rgbt_tracker.report.build import Images, Options, build_report
    from rgbt_tracker.results.archives import unpacked

    check_interval(low, high)
    place = cast(Images, images)
    options = Options(title, place, size, tuple(player or ()), protocol, precision, (low, high), experiment, rig)
    with unpacked(results) as folders:
        written = build_report(folders, sequences, output, options)
    where = {"inside": "images inside", "beside": "images in frames/ beside it", "none": "no images"}[written.images]
    console.stdout.print(f"{written.page} ({written.size / 1e6:.1f} MB, {where})", highlight=False)
