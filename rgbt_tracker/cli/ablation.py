"""``rgbt ablation``: the table of single modalities against both fusions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestfuse_core.common.console import print_table, progress, stderr
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import require
from nestfuse_core.common.options import Device, output_folder
from rgbt_tracker.cli.options import DEFAULT_CONFIG, IntervalHigh, IntervalLow, Workers

if TYPE_CHECKING:
    from rgbt_tracker.evaluation.job import Job


def ablation(
    config: Annotated[
        list[str] | None,
        typer.Option(help="CONFIG or CONFIG=WEIGHTS, once a tracker [default: nestfuse_nanotrack]."),
    ] = None,
    sequences: Annotated[
        list[str] | None,
        typer.Option(help="A sequence, or a folder of sequences; may be given more than once."),
    ] = None,
    drawn: Annotated[
        str | None,
        typer.Option(help="Drawn sequences as SET:COUNT or SET:COUNT:LENGTH, for example test:11:120."),
    ] = None,
    output: Annotated[Path, output_folder("Folder of the runs (to resume from) and of ablation.md.")] = Path(
        "out/ablation"
    ),
    starts: Annotated[int, typer.Option(min=1, help="Starts a sequence, averaged.")] = 1,
    apart: Annotated[int, typer.Option(min=1, help="Frames from one start to the next.")] = 10,
    low: IntervalLow = 109,
    high: IntervalHigh = 322,
    device: Device = "auto",
    workers: Workers = 1,
) -> None:
    """Compare single cameras, the paper's fusion and ours, by sequence and in all; prints tables."""
    require("bench", "pandas")
    from nestfuse_core.common.files import write_text
    from nestfuse_core.common.tables import table_of
    from rgbt_tracker.evaluation.ablation import contenders, job_count, measure_all
    from rgbt_tracker.evaluation.ablation_tables import all_tables, as_cells, as_page
    from rgbt_tracker.evaluation.reset_measures import check_interval
    from rgbt_tracker.evaluation.sources import drawn_sources, sources_in

    check_interval(low, high)
    trackers = contenders(config or [DEFAULT_CONFIG])
    sources = [*sources_in(sequences or []), *(drawn_sources(drawn) if drawn else [])]
    if not sources:
        raise UserError("Nothing to measure on: give --sequences FOLDER, --drawn SET:COUNT, or both.")
    with progress() as display:
        task = display.add_task("ablation", total=job_count(trackers, sources, starts), note="")

        def on_done(job: Job) -> None:
            display.update(task, advance=1, note=str(job))

        cells = measure_all(trackers, sources, output, device, on_done, starts, apart, workers)
    tables = all_tables(cells, low, high)
    write_text(output / "ablation.md", as_page(tables))
    for title, frame in tables.items():
        head, *rows = as_cells(frame)
        print_table(table_of(head, rows, title, keys=2), keys=2)
    stderr.print(f"Written to {output / 'ablation.md'}", highlight=False)
